// SPDX-License-Identifier: MIT
// What imap gives where the workers are processes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/detail/element_source.hpp>
#include <multiprocessing/detail/pool_options.hpp>
#include <multiprocessing/detail/imap_iterator.hpp>
#include <multiprocessing/detail/stream_job.hpp>
#include <multiprocessing/detail/visible_stream.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// A function over a range whose elements are taken as results are: nothing here has a thread.
template <class F, class Range>
class pool_stream final
    : public result_stream<typename stream_job<F, typename element_source<Range>::element>::value> {
public:
    using element = typename element_source<Range>::element;
    using work = stream_job<F, element>;
    using value = typename work::value;

    pool_stream(std::shared_ptr<dispatcher> pool, F function, Range&& range,
                const stream_bounds& bounds, const task_rules& rules, bool ordered)
        : pool_(std::move(pool)), source_(std::forward<Range>(range)), bounds_(bounds),
          job_(std::make_shared<work>(std::move(function), bounds.places, ordered)) {
        job_->obey(rules);
        while (pull() && batch_ > 1) {
        }
        hand_over(deadline::now());
    }
    pool_stream(const pool_stream&) = delete;
    pool_stream& operator=(const pool_stream&) = delete;
    ~pool_stream() override {
        if (!pool_->is_owned()) {  // In a copy of the process the job is the other's.
            new std::shared_ptr<work>(std::move(job_));
            return;
        }
        try {
            pool_->abandon(*job_, [&] { job_->abandon(); });
        } catch (const std::exception&) {  // From within the pool: what is given is run.
        }
    }

    std::optional<value> next(const deadline& until) override {
        if (!pool_->is_owned())
            throw ProcessError("results come to the process only that made the pool");
        for (;;) {
            if (open_ && at_ < current().results.size())
                return static_cast<value>(std::move(current().results[at_++]));
            if (open_)
                close();
            if (!advance(until)) {
                if (broken_)
                    std::rethrow_exception(std::exchange(broken_, nullptr));
                return std::nullopt;
            }
            if (current().error) {
                const std::exception_ptr error = std::move(current().error);
                close();
                std::rethrow_exception(error);
            }
        }
    }

private:
    typename work::place& current() noexcept { return (*job_)[number_]; }
    void close() noexcept {
        open_ = false;
        job_->release(number_);
    }

    /// Opens the next place that is ready; false at the end.
    bool advance(const deadline& until) {
        if (job_->free_places() * 2 >= job_->places() && pull())
            hand_over(deadline::now());
        while (!job_->take_ready(number_)) {
            const bool more = pull() && has_room() && !ended_;
            if (!job_->has_some())
                return false;
            if (!hand_over(more ? deadline::now() : until) && !more)
                throw TimeoutError("the next result is not there yet");
        }
        open_ = true;
        at_ = 0;
        return true;
    }

    bool has_room() const noexcept {
        return job_->free_places() != 0 && (job_->bytes() < bounds_.bytes || !job_->has_some());
    }

    /// Gives out what was pulled; returns whether a result is ready, in time. Where the pool has
    /// ended that is the end of the range, too: what it has done already is read first.
    bool hand_over(const deadline& until) {
        const std::size_t count = std::exchange(staged_, 0);
        try {
            return pool_->stream(
                job_, count, [&] { return job_->collect(); }, until);
        } catch (const ProcessError&) {
            if (count == 0)
                throw_again();
            job_->unstage(count);
            ended_ = true;
            broken_ = std::current_exception();
            return true;
        }
    }

    /// Takes some elements from the range; returns whether there were any. More at a time where
    /// they come quickly: results are not to wait for a range that is slow.
    bool pull() {
        using clock = std::chrono::steady_clock;
        if (ended_ || !has_room())
            return false;
        const auto start = clock::now();
        std::size_t count = 0;
        while (count < batch_ && !ended_ && has_room())
            count += pull_one();
        const bool quickly = clock::now() - start < std::chrono::microseconds(50);
        batch_ =
            quickly ? smaller_of(2 * batch_, job_->places()) : larger_of<std::size_t>(count / 2, 1);
        return count != 0;
    }

    bool pull_one() {
        const std::uint32_t number = job_->take_free();
        auto& elements = (*job_)[number].elements;
        try {
            while (elements.size() < bounds_.chunk && !ended_)
                ended_ = !source_.take(elements);
            if (!elements.empty()) {
                job_->stage(number);
                ++staged_;
                return true;
            }
        } catch (...) {  // What came before it goes first.
            ended_ = true;
            broken_ = std::current_exception();
            if (!elements.empty()) {
                job_->stage(number);
                ++staged_;
                return true;
            }
        }
        job_->release(number);
        return false;
    }

    std::shared_ptr<dispatcher> pool_;
    element_source<Range> source_;
    const stream_bounds bounds_;
    std::shared_ptr<work> job_;
    std::exception_ptr broken_;
    std::size_t batch_ = 1;
    std::size_t staged_ = 0;
    std::size_t at_ = 0;
    std::uint32_t number_ = 0;
    bool open_ = false;
    bool ended_ = false;
};

/// Results of `function` over `range`, in order or as they come.
template <class F, class Range>
auto open_stream(const std::shared_ptr<dispatcher>& pool, F&& function, Range&& range,
                 const imap_options& options, bool ordered) {
    using Source = element_source<Range>;
    using Mapped = sent_function<std::decay_t<F>, typename Source::element>;
    using Stream = pool_stream<Mapped, Range>;
    using R = typename Stream::value;
    const auto bounds = bounds_of(options, 256 * pool->processes());
    const auto rules = rules_of(options);
    const auto total = options.progress ? known_size(range) : std::nullopt;
    pool->require_open();
    std::unique_ptr<result_stream<R>> results =
        std::make_unique<Stream>(pool, Mapped{std::forward<F>(function)},
                                 std::forward<Range>(range), bounds, rules, ordered);
    if (options.progress)
        results = show_stream(std::move(results), total);
    return IMapIterator<R>(std::move(results));
}

}  // namespace multiprocessing::detail
