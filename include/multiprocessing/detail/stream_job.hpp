// SPDX-License-Identifier: MIT
// A function over elements that come one after the other, as a job of a pool: some are under way,
// never more than there are places.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/detail/chunk_call.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/task_function.hpp>

namespace multiprocessing::detail {

// A place holds a chunk of elements and then its results. It is filled by the thread that reads the
// stream, belongs to the pool from its giving until it is ready, and to the reader again from then
// on. Places are used again with the memory they have, so a long stream allocates nothing.
template <class F, class T>
class stream_job final : public job {
public:
    /// The destructor of a user's value may not throw here: nobody could be told.
    ~stream_job() noexcept override = default;
    using call = chunk_call<F, T>;
    using value = typename call::value;

    struct place {
        std::vector<T> elements;
        std::vector<value> results;
        std::exception_ptr error;
        /// What it holds, as it was on the wire.
        std::size_t bytes = 0;
        /// Pairs with the acquire of the reader: the results are visible with it.
        std::atomic<bool> ready{false};
    };

    stream_job(F function, std::size_t places, bool ordered)
        : job(0), function_(std::move(function)), count_(places), ordered_(ordered),
          places_(std::make_unique<place[]>(places)), order_(places) {
        tell_each();
        free_.reserve(places);
        for (std::size_t i = places; i > 0; --i)
            free_.push_back(static_cast<std::uint32_t>(i - 1));
        completed_.reserve(places);
        collected_.reserve(places);  // They are swapped.
    }

    task_header header() const override { return call::header(); }
    std::size_t argument_bytes(std::size_t task) const override {
        return function_.bytes() + call::bytes(elements(task), 0, elements(task).size());
    }
    void write_arguments(std::size_t task, std::byte* at) const override {
        call::write(function_.write(at), elements(task), 0, elements(task).size());
    }
    void take_value(std::size_t task, decoder& in) override {
        place& into = places_[task];
        if (!abandoned_)
            read_results(into, in);
        complete(task);
    }
    void take_error(std::size_t task, std::exception_ptr error) noexcept override {
        places_[task].error = std::move(error);
        complete(task);
    }
    bool ends_quietly() const noexcept override {
        return detail::ends_quietly<std::tuple<F, T, value>>;
    }
    std::string name() const override { return function_.name() + " over a range"; }

    /// What comes back is not wanted any more, and what is lost is not run again.
    void abandon() noexcept {
        abandoned_ = true;
        this->obey({this->rules().limit, 0});
    }

    // ---- the reader's side

    std::size_t places() const noexcept { return count_; }
    std::size_t free_places() const noexcept { return free_.size(); }
    /// Bytes of all places that are not free.
    std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
    place& operator[](std::uint32_t number) noexcept { return places_[number]; }

    /// An empty place to put elements into; stage() or release() follows.
    std::uint32_t take_free() noexcept {
        const std::uint32_t number = free_.back();
        free_.pop_back();
        return number;
    }
    /// The next to be given, when the job is appended to. What cannot be written is found out then
    /// once more, and is the error of this place alone.
    void stage(std::uint32_t number) noexcept {
        place& staged = places_[number];
        try {
            staged.bytes = call::bytes(staged.elements, 0, staged.elements.size());
        } catch (...) {
            staged.bytes = 0;
        }
        bytes_.fetch_add(staged.bytes, std::memory_order_relaxed);
        order_[staged_++ % count_] = number;
    }
    /// The last so many will not be given.
    void unstage(std::size_t count) noexcept {
        for (; count > 0; --count)
            release(order_[--staged_ % count_]);
    }
    /// Forgets what it holds; its memory stays.
    void release(std::uint32_t number) noexcept {
        place& used = places_[number];
        bytes_.fetch_sub(used.bytes, std::memory_order_relaxed);
        used.elements.clear();
        used.results.clear();
        used.error = nullptr;
        used.bytes = 0;
        used.ready.store(false, std::memory_order_relaxed);
        free_.push_back(number);
    }
    /// Whether anything was staged and not taken yet.
    bool has_some() const noexcept { return taken_ != staged_; }

    /// The next place that is ready, if there is one: in order, or of those that were collected.
    bool take_ready(std::uint32_t& number) noexcept {
        if (ordered_) {
            if (!is_front_ready())
                return false;
            number = order_[taken_ % count_];
        } else {
            if (collected_.empty())
                return false;
            number = collected_.back();
            collected_.pop_back();
        }
        ++taken_;
        return true;
    }
    /// With the dispatcher's lock held: whether take_ready() will find something.
    bool collect() noexcept {
        if (ordered_)
            return is_front_ready();
        if (collected_.empty())
            collected_.swap(completed_);
        return !collected_.empty();
    }

private:
    bool is_front_ready() const noexcept {
        return has_some() && places_[order_[taken_ % count_]].ready.load(std::memory_order_acquire);
    }
    const std::vector<T>& elements(std::size_t task) const noexcept {
        return places_[task].elements;
    }
    std::size_t number_of(std::size_t turn) const noexcept override {
        return order_[turn % count_];
    }

    void read_results(place& into, decoder& in) {
        const std::size_t count = into.elements.size();
        const std::size_t bytes = in.remaining();
        if constexpr (is_bulk<value>) {
            into.results.resize(count);
            std::memcpy(into.results.data(), in.template take<value>(count * sizeof(value)),
                        count * sizeof(value));
        } else {
            for (std::size_t i = 0; i < count; ++i)
                into.results.push_back(in.template read<value>());
        }
        in.finish();
        into.bytes += bytes;
        bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }

    void complete(std::size_t task) noexcept {
        if (!ordered_)
            completed_.push_back(static_cast<std::uint32_t>(task));
        places_[task].ready.store(true, std::memory_order_release);
    }

    task_function<F> function_;
    const std::size_t count_;
    const bool ordered_;
    std::unique_ptr<place[]> places_;
    /// The places in the order of their staging; those that were taken are written over.
    std::vector<std::uint32_t> order_;
    std::size_t staged_ = 0;
    std::size_t taken_ = 0;
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> collected_;
    std::atomic<std::size_t> bytes_{0};
    // The dispatcher's:
    std::vector<std::uint32_t> completed_;
    bool abandoned_ = false;
};

}  // namespace multiprocessing::detail
