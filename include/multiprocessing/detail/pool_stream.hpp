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

/// A function over a range whose elements are taken as results are: nothing here has a thread. The
/// first ones are taken by the maker, for as long as they come quickly: he does not wait for a range
/// that is slow. Where they have an end in time, he takes as many as there is room for of a range
/// that lies in memory: else it would be chance how many are worked on before he reads. Once
/// `end` has passed nothing is taken any more, as if the range had thrown a `TimeoutError` then.
template <class F, class Range>
class pool_stream final
    : public result_stream<typename stream_job<F, typename element_source<Range>::element>::value> {
public:
    using element = typename element_source<Range>::element;
    using work = stream_job<F, element>;
    using value = typename work::value;

    pool_stream(std::shared_ptr<dispatcher> pool, F function, Range&& range,
                const stream_bounds& bounds, const task_rules& rules, bool ordered,
                const deadline& end)
        : pool_(std::move(pool)), source_(std::forward<Range>(range)), bounds_(bounds), end_(end),
          job_(std::make_shared<work>(std::move(function), bounds.places, ordered)) {
        job_->obey(rules);
        try {
            take_first();
        } catch (...) {
            let_go();
            throw_again();
        }
    }
    pool_stream(const pool_stream&) = delete;
    pool_stream& operator=(const pool_stream&) = delete;
    ~pool_stream() override {
        if (!pool_->is_owned()) {  // In a copy of the process the job is the other's.
            new std::shared_ptr<work>(std::move(job_));
            return;
        }
        let_go();
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

    void let_go() noexcept {
        try {
            pool_->abandon(*job_, [&] { job_->abandon(); });
        } catch (const std::exception&) {  // From within the pool: what is given is run.
        }
    }

    void take_first() {
        const bool takes_all =
            lies_in_memory<std::remove_reference_t<Range>> && !end_.is_never();
        while (pull(end_) && (batch_ > 1 || takes_all))
            if (takes_all)
                hand_over(deadline::now());
        hand_over(deadline::now());
    }

    /// Opens the next place that is ready; false at the end.
    bool advance(const deadline& until) {
        if (job_->free_places() * 2 >= job_->places() && pull(until))
            hand_over(deadline::now());
        while (!job_->take_ready(number_)) {
            const bool more = pull(until) && can_take();
            if (ended_ && !job_->has_some())
                return false;
            if (!hand_over(more ? deadline::now() : until) && (!more || until.passed()))
                throw TimeoutError("the next result is not there yet");
        }
        open_ = true;
        at_ = 0;
        return true;
    }

    bool has_room() const noexcept {
        return job_->free_places() != 0 && (job_->bytes() < bounds_.bytes || !job_->has_some());
    }
    bool can_take() const noexcept { return !ended_ && (filling_ || has_room()); }

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

    /// Takes some elements from the range, one at least; returns whether there is something to give
    /// out. More at a time where they come quickly: results are not to wait for a range that is
    /// slow, nor is the reader whose time has passed.
    bool pull(const deadline& until) {
        if (end_.passed())
            end_with(std::make_exception_ptr(TimeoutError("the time for all results has passed")));
        if (!can_take())
            return false;
        using clock = std::chrono::steady_clock;
        const auto soon = clock::now() + std::chrono::microseconds(50);
        const auto is_late = [&] { return until.passed() && clock::now() >= soon; };
        std::size_t count = 0;
        do
            count += fill_place(is_late);
        while (count < batch_ && can_take() && !is_late());
        batch_ = clock::now() >= soon ? larger_of<std::size_t>(count / 2, 1)
                                      : smaller_of(2 * batch_, job_->places());
        return count != 0;
    }

    /// Returns whether one is full, or as full as it will be; else the next call goes on with it.
    template <class Late>
    bool fill_place(Late is_late) {
        const std::uint32_t number = filling_ ? *filling_ : job_->take_free();
        filling_.reset();
        auto& elements = (*job_)[number].elements;
        try {
            do
                ended_ = !source_.take(elements);
            while (!ended_ && elements.size() < bounds_.chunk && !is_late());
        } catch (...) {  // What came before it goes first.
            end_with(std::current_exception());
        }
        if (ended_ && elements.empty()) {
            job_->release(number);
            return false;
        }
        if (!ended_ && elements.size() < bounds_.chunk) {
            filling_ = number;
            return false;
        }
        job_->stage(number);
        ++staged_;
        return true;
    }

    /// Thrown where the end would be. That of a range whose end is known is not to be taken for it.
    void end_with(std::exception_ptr error) noexcept {
        if (!std::exchange(ended_, true))
            broken_ = std::move(error);
    }

    std::shared_ptr<dispatcher> pool_;
    element_source<Range> source_;
    const stream_bounds bounds_;
    const deadline end_;
    std::shared_ptr<work> job_;
    std::exception_ptr broken_;
    std::size_t batch_ = 1;
    std::size_t staged_ = 0;
    std::size_t at_ = 0;
    std::uint32_t number_ = 0;
    /// A place whose chunk was not whole when the reader's time had passed.
    std::optional<std::uint32_t> filling_;
    bool open_ = false;
    bool ended_ = false;
};

/// Results of `function` over `range`, in order or as they come.
template <class F, class Range>
auto open_stream(const std::shared_ptr<dispatcher>& pool, F&& function, Range&& range,
                 const imap_options& options, bool ordered,
                 const deadline& end = deadline::never()) {
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
                                 std::forward<Range>(range), bounds, rules, ordered, end);
    if (options.progress)
        results = show_stream(std::move(results), total);
    return IMapIterator<R>(std::move(results));
}

}  // namespace multiprocessing::detail
