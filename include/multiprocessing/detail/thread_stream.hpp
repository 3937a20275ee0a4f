// SPDX-License-Identifier: MIT
// What imap gives where the workers are threads.
#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/element_source.hpp>
#include <multiprocessing/detail/imap_iterator.hpp>
#include <multiprocessing/detail/pool_options.hpp>
#include <multiprocessing/detail/thread_crew.hpp>
#include <multiprocessing/detail/thread_jobs.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// A chunk of a stream. It belongs to a thread until it is ready, then to the reader.
template <class F, class T>
class local_chunk final : public local_task {
public:
    /// The destructor of a user's value may not throw here: nobody could be told.
    ~local_chunk() noexcept override = default;
    using value = local_result<F, T>;

    local_chunk(thread_crew& crew, std::shared_ptr<F> function)
        : crew_(crew), function_(std::move(function)) {}

    std::vector<T> elements;
    std::vector<value> results;
    std::exception_ptr error;
    bool ready = false;

    void run() noexcept override {
        try {
            map_locally<F, T>(
                *function_, elements.size(), [&](std::size_t i) { return std::move(elements[i]); },
                [&](std::size_t, value&& result) { results.push_back(std::move(result)); });
        } catch (...) {
            return fail(std::current_exception());
        }
        crew_.settle([&] { ready = true; });
    }
    void fail(std::exception_ptr why) noexcept override {
        crew_.settle([&] {
            error = std::move(why);
            ready = true;
        });
    }

private:
    thread_crew& crew_;
    std::shared_ptr<F> function_;
};

template <class F, class Range>
class thread_stream final
    : public result_stream<local_result<F, typename element_source<Range>::element>> {
public:
    using element = typename element_source<Range>::element;
    using chunk = local_chunk<F, element>;
    using value = typename chunk::value;

    thread_stream(std::shared_ptr<thread_crew> crew, F function, Range&& range,
                  const stream_bounds& bounds, bool ordered)
        : crew_(std::move(crew)), function_(std::make_shared<F>(std::move(function))),
          source_(std::forward<Range>(range)), bounds_(bounds), ordered_(ordered) {
        fill();
    }

    std::optional<value> next(const deadline& until) override {
        for (;;) {
            if (current_ && at_ < current_->results.size() && !current_->error)
                return static_cast<value>(std::move(current_->results[at_++]));
            current_ = nullptr;
            fill();
            if (under_way_.empty()) {
                if (broken_)
                    std::rethrow_exception(std::exchange(broken_, nullptr));
                return std::nullopt;
            }
            take(until);
            if (current_->error)
                std::rethrow_exception(std::exchange(current_, nullptr)->error);
        }
    }

private:
    using chunks = std::deque<std::shared_ptr<chunk>>;

    void fill() {
        while (!ended_ && under_way_.size() < bounds_.places) {
            auto more = std::make_shared<chunk>(*crew_, function_);
            try {
                while (more->elements.size() < bounds_.chunk && !ended_)
                    ended_ = !source_.take(more->elements);
            } catch (...) {  // What came before it goes first.
                ended_ = true;
                broken_ = std::current_exception();
            }
            if (more->elements.empty())
                return;
            under_way_.push_back(more);
            crew_->post(more);
            if (is_ready(under_way_.front()))
                return;  // Results do not wait for a range that is slow.
        }
    }

    bool is_ready(const std::shared_ptr<chunk>& one) {
        return crew_->await([&] { return one->ready; }, deadline::now());
    }

    void take(const deadline& until) {
        typename chunks::iterator found;
        const auto find = [&] {
            const auto last = ordered_ ? under_way_.begin() + 1 : under_way_.end();
            found = detail::find_if(under_way_.begin(), last,
                                    [](const auto& one) { return one->ready; });
            return found != last;
        };
        if (!crew_->await(find, until))
            throw TimeoutError("the next result is not there yet");
        current_ = std::move(*found);
        under_way_.erase(found);
        at_ = 0;
    }

    std::shared_ptr<thread_crew> crew_;
    std::shared_ptr<F> function_;
    element_source<Range> source_;
    const stream_bounds bounds_;
    const bool ordered_;
    chunks under_way_;
    std::shared_ptr<chunk> current_;
    std::size_t at_ = 0;
    std::exception_ptr broken_;
    bool ended_ = false;
};

}  // namespace multiprocessing::detail
