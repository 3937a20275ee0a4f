// SPDX-License-Identifier: MIT
// Waiting for several futures at once.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/future.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::futures {

/// When `wait` returns.
enum class return_when { first_completed, first_exception, all_completed };
inline constexpr return_when FIRST_COMPLETED = return_when::first_completed;
inline constexpr return_when FIRST_EXCEPTION = return_when::first_exception;
inline constexpr return_when ALL_COMPLETED = return_when::all_completed;

/// What `wait` found, in the order of its range.
template <class R>
struct DoneAndNotDoneFutures {
    std::vector<Future<R>> done;
    std::vector<Future<R>> not_done;
};

/// The result of the futures of a range.
template <class Range>
struct result_of_future;
template <class R>
struct result_of_future<Future<R>> {
    using type = R;
};
template <class Range>
using future_result = typename result_of_future<std::ranges::range_value_t<Range>>::type;

/// Each of them once, the first where it is.
template <class Range>
auto distinct_futures(Range&& range) {
    std::vector<std::ranges::range_value_t<Range>> once;
    std::set<std::ranges::range_value_t<Range>> seen;
    for (const auto& future : range)
        if (seen.insert(future).second)
            once.push_back(future);
    return once;
}

/// Waits for futures, also of several executors, until all are done, or one is, or one has failed,
/// or `limit` passes, which is no error. A future that was cancelled is done and has not failed.
/// Python: `concurrent.futures.wait`.
template <std::ranges::input_range Range>
auto wait(Range&& range, const timeout& limit = {}, return_when when = ALL_COMPLETED) {
    using R = future_result<Range>;
    const auto until = detail::deadline::after(limit);
    const std::vector<Future<R>> futures = distinct_futures(range);
    const auto has_failed = [](const Future<R>& future) {
        return future.done() && !future.cancelled() && future.exception();
    };
    const auto is_enough = [&](const Future<R>& future) {
        return when == FIRST_COMPLETED || (when == FIRST_EXCEPTION && has_failed(future));
    };
    if (when == ALL_COMPLETED) {
        for (const Future<R>& future : futures)
            if (!future.wait(timeout(until.remaining())))
                break;
    } else {
        future_watch<R> watch(futures);
        for (std::size_t left = futures.size(); left > 0; --left) {
            const auto ended = watch.next(until);
            if (!ended || is_enough(*ended))
                break;
        }
    }
    DoneAndNotDoneFutures<R> found;
    for (const Future<R>& future : futures)
        (future.done() ? found.done : found.not_done).push_back(future);
    return found;
}

/// Futures in the order in which they are done: a range to loop over once, or asked by `next`.
/// One thread at a time may use it.
template <class R>
class CompletedFutures {
public:
    CompletedFutures(std::vector<Future<R>> futures, const timeout& limit)
        : count_(futures.size()), left_(count_), until_(detail::deadline::after(limit)),
          watch_(std::make_unique<future_watch<R>>(std::move(futures))) {}

    /// The next one that is done, which is not kept here, or empty at the end. Throws
    /// `TimeoutError` where the time of all together has passed.
    std::optional<Future<R>> next() {
        if (left_ == 0 || !watch_)  // Moved to another object: nothing is left here.
            return std::nullopt;
        auto future = watch_->next(until_);
        if (!future)
            throw TimeoutError(std::to_string(left_) + " (of " + std::to_string(count_) +
                               ") futures unfinished");
        --left_;
        return future;
    }

    class iterator {
    public:
        using value_type = Future<R>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        explicit iterator(CompletedFutures& of) noexcept : of_(&of) {}
        const Future<R>& operator*() const noexcept { return *of_->current_; }
        iterator& operator++() {
            of_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
            return it.is_at_end();
        }

    private:
        bool is_at_end() const noexcept { return !of_->current_; }

        CompletedFutures* of_;
    };

    iterator begin() {
        advance();
        return iterator(*this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    void advance() {
        current_.reset();
        if (auto future = next())
            current_.emplace(std::move(*future));
    }

    std::size_t count_;
    std::size_t left_;
    detail::deadline until_;
    std::unique_ptr<future_watch<R>> watch_;
    std::optional<Future<R>> current_;
};

/// The futures of a range, each once, in the order in which they are done; those that are done
/// come first. Moving on throws `TimeoutError` where `limit`, counted from this call, has passed.
/// Python: `concurrent.futures.as_completed`.
template <std::ranges::input_range Range>
auto as_completed(Range&& range, const timeout& limit = {}) {
    return CompletedFutures<future_result<Range>>(distinct_futures(range), limit);
}

}  // namespace multiprocessing::futures
