// SPDX-License-Identifier: MIT
// What imap gives where the workers are threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
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

/// A chunk of a stream. It belongs to a thread until it is ready, then to the reader; to the reader
/// at once where that gives it up before a thread has begun it.
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
    /// Guarded by the crew's lock.
    bool ready = false;

    void run() noexcept override {
        runner_ = std::this_thread::get_id();
        if (!become(stage::running))
            return;
        std::exception_ptr thrown;
        try {
            map_locally<F, T>(
                *function_, elements.size(), [&](std::size_t i) { return std::move(elements[i]); },
                [&](std::size_t, value&& result) { results.push_back(std::move(result)); });
        } catch (...) {
            thrown = std::current_exception();
        }
        forget_task();  // Once it is ready, nothing of the caller's is used here.
        settle(std::move(thrown));
    }
    void fail(std::exception_ptr why) noexcept override {
        if (become(stage::refused))
            settle(std::move(why));
    }

    /// For the reader: whether no thread has begun it, or will.
    bool give_up() noexcept { return become(stage::given_up); }
    bool is_given_up() const noexcept { return stage_ == stage::given_up; }
    /// Whether the crew did not take it: then `error` is of the pool, not of the function.
    bool is_refused() const noexcept { return stage_ == stage::refused; }
    /// Whether the caller is within its function.
    bool runs_here() const noexcept {
        return stage_ == stage::running && runner_ == std::this_thread::get_id();
    }
    /// Lets go of what is the user's, once it belongs to the reader.
    void forget() noexcept {
        forget_task();
        results.clear();
        error = nullptr;
    }

private:
    enum class stage { waiting, running, refused, given_up };

    /// Whether the caller may have it: only the first may.
    bool become(stage next) noexcept {
        stage expected = stage::waiting;
        return stage_.compare_exchange_strong(expected, next);
    }
    void forget_task() noexcept {
        elements.clear();
        function_ = nullptr;
    }
    void settle(std::exception_ptr why) noexcept {
        crew_.settle([&] {
            error = std::move(why);
            ready = true;
        });
    }

    thread_crew& crew_;
    std::shared_ptr<F> function_;
    std::atomic<stage> stage_{stage::waiting};
    /// Set before it runs.
    std::thread::id runner_;
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
          source_(std::forward<Range>(range)), bounds_(bounds), ordered_(ordered) {}
    thread_stream(const thread_stream&) = delete;
    thread_stream& operator=(const thread_stream&) = delete;
    /// Gives up what has not begun and waits for what has, which may refer to things of the
    /// caller's. Within the function of this very stream it does not wait for the chunk that the
    /// caller is in, which has what it needs until it returns. Functions of two streams that let go
    /// of each other's wait for ever, as tasks do that wait for each other.
    ~thread_stream() override {
        if (!crew_->is_owned())
            return;  // A copy of the process: the chunks are the other's threads'.
        for (const auto& one : under_way_)
            one->give_up();
        for (const auto& one : under_way_)
            if (one->is_given_up())
                one->forget();
        crew_->await([&] { return have_ended(); }, deadline::never());
        for (const auto& one : under_way_)
            if (one->ready)
                one->forget();
        if (current_)
            current_->forget();
    }

    /// Takes the first elements from the range, of `most` chunks: nobody has asked yet, and the range
    /// may be slow. What is thrown here finds a whole object.
    void begin(std::size_t most) { fill(deadline::never(), smaller_of(bounds_.places, most)); }

    std::optional<value> next(const deadline& until) override {
        crew_->require_owned();
        for (;;) {
            if (current_ && at_ < current_->results.size() && !current_->error)
                return static_cast<value>(std::move(current_->results[at_++]));
            current_ = nullptr;
            fill(until, bounds_.places);
            if (under_way_.empty()) {
                if (broken_)
                    std::rethrow_exception(std::exchange(broken_, nullptr));
                return std::nullopt;
            }
            take(until);
            if (current_->is_refused()) {  // Nor will what is left be taken. What runs goes first.
                ended_ = true;
                broken_ = std::exchange(current_, nullptr)->error;
            } else if (current_->error) {
                std::rethrow_exception(std::exchange(current_, nullptr)->error);
            }
        }
    }

private:
    using chunks = std::deque<std::shared_ptr<chunk>>;

    /// Takes elements, as long as there is time; one chunk at least where there is none to wait for.
    void fill(const deadline& until, std::size_t places) {
        while (!ended_ && under_way_.size() < places && (under_way_.empty() || !until.passed())) {
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
            ended_ = ended_ || more->is_refused();
            if (is_ready(under_way_.front()))
                return;  // Results do not wait for a range that is slow.
        }
    }

    bool is_ready(const std::shared_ptr<chunk>& one) {
        return crew_->await([&] { return one->ready; }, deadline::now());
    }

    /// With the lock held: whether nothing is to be waited for by the caller.
    bool have_ended() const noexcept {
        const auto is_open = [](const auto& one) {
            return !one->ready && !one->is_given_up() && !one->runs_here();
        };
        return detail::find_if(under_way_.begin(), under_way_.end(), is_open) == under_way_.end();
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
