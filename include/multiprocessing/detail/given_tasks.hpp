// SPDX-License-Identifier: MIT
// The tasks that one worker has been given and has not answered.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include <multiprocessing/detail/task.hpp>

namespace multiprocessing::detail {

// Tasks are numbered as they are given. A counter in shared memory says how many are taken: the
// worker raises it by one before it begins a task, the pool by several where it takes tasks back.
// Each does so by compare-and-exchange, with acquire and release, so that a task is taken by one of
// the two. A task of the worker's that is wild may write anything to it: what cannot be is not
// believed.

/// Belongs to the pool; only the counter is shared.
class given_tasks {
public:
    struct entry {
        task_reference task;
        std::uint32_t index = 0;
        std::size_t bytes = 0;
    };

    given_tasks(std::atomic<std::uint32_t>& taken, std::atomic<std::uint32_t>& given_back) noexcept
        : taken_(taken), given_back_(given_back) {}

    bool empty() const noexcept { return given_.empty(); }
    std::size_t size() const noexcept { return given_.size(); }
    /// Bytes of their arguments, with all of those that were taken back and that the worker has not
    /// passed over yet: they lie in its ring, and would fill the memory while it runs a long task.
    std::size_t bytes() const noexcept { return bytes_ + stale_bytes_; }
    std::uint64_t answered() const noexcept { return answered_; }
    bool has_begun_any() const noexcept { return taken() != 0; }
    /// How many of them the worker has begun.
    std::size_t begun() const noexcept { return begun_of(taken()); }

    const entry& front() const noexcept { return given_.front(); }
    auto begin() const noexcept { return given_.begin(); }
    auto end() const noexcept { return given_.end(); }

    void add(const task_reference& task, std::size_t bytes) {
        given_.push_back({task, next_index_, bytes});
        ++next_index_;
        bytes_ += bytes;
    }
    /// It was answered.
    void pop_front() noexcept {
        bytes_ -= given_.front().bytes;
        if (is_before(stale_until_, given_.front().index))
            stale_bytes_ = 0;
        ++answered_;
        answered_until_ = given_.front().index + 1;
        given_.pop_front();
    }

    /// Takes back up to `most` of those that the worker has not begun, the oldest first.
    void take_back(std::size_t most, std::deque<task_reference>& into) {
        std::uint32_t from = taken();
        std::size_t begun = 0;
        std::size_t count = 0;
        const std::size_t had = into.size();
        do {
            into.resize(had);
            if (!is_plausible(from))
                return;
            begun = begun_of(from);
            count = given_.size() - begun < most ? given_.size() - begun : most;
            if (count == 0)
                return;
            // Before they are moved: there may be no memory for them.
            for (std::size_t i = begun; i < begun + count; ++i)
                if (given_[i].task.owner != nullptr)
                    into.push_back(given_[i].task);
            given_back_.store(from + static_cast<std::uint32_t>(count), std::memory_order_relaxed);
        } while (!taken_.compare_exchange_weak(from, from + static_cast<std::uint32_t>(count),
                                               std::memory_order_acq_rel));
        for (std::size_t i = begun; i < begun + count; ++i) {
            bytes_ -= given_[i].bytes;
            stale_bytes_ += given_[i].bytes + task_overhead;
        }
        stale_until_ = given_[begun + count - 1].index;
        const auto first = given_.begin() + static_cast<std::ptrdiff_t>(begun);
        given_.erase(first, first + static_cast<std::ptrdiff_t>(count));
    }

    /// After the worker's death, when its replies have been read: calls `lost` with each task that
    /// it had begun, one at most unless its memory was damaged, and gives back the others. Where
    /// the counter cannot be right all are lost: the one that did the damage must not run again and
    /// again.
    template <class Lost>
    void settle_up(Lost lost, std::deque<task_reference>& into) {
        const std::uint32_t count = taken();
        const std::size_t begun = is_plausible(count) ? begun_of(count) : given_.size();
        for (std::size_t i = 0; i < given_.size(); ++i) {
            if (given_[i].task.owner == nullptr)
                continue;
            if (i < begun)
                lost(given_[i].task);
            else
                into.push_back(given_[i].task);
        }
        given_.clear();
        bytes_ = 0;
    }

    /// For a pool that gives up: calls `failed` with each task. The places stay, for the replies
    /// that still come.
    template <class Failed>
    void disown(Failed failed) noexcept {
        for (entry& given : given_)
            if (given.task.owner != nullptr)
                failed(std::exchange(given.task, {}));
    }

private:
    std::uint32_t taken() const noexcept { return taken_.load(std::memory_order_acquire); }

    bool is_plausible(std::uint32_t count) const noexcept {
        return !is_before(count, answered_until_) && !is_before(next_index_, count);
    }

    /// How many of the tasks were taken when the counter said `count`.
    std::size_t begun_of(std::uint32_t count) const noexcept {
        std::size_t begun = 0;
        while (begun < given_.size() && is_before(given_[begun].index, count))
            ++begun;
        return begun;
    }

    /// Numbers go round.
    static bool is_before(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) < 0;
    }

    /// Of a task in a ring, besides its arguments.
    static constexpr std::size_t task_overhead = sizeof(task_header) + sizeof(std::uint64_t);

    std::atomic<std::uint32_t>& taken_;
    std::atomic<std::uint32_t>& given_back_;
    std::deque<entry> given_;
    std::size_t bytes_ = 0;
    std::size_t stale_bytes_ = 0;
    std::uint32_t stale_until_ = 0;
    std::uint32_t next_index_ = 0;
    std::uint32_t answered_until_ = 0;
    std::uint64_t answered_ = 0;
};

}  // namespace multiprocessing::detail
