// SPDX-License-Identifier: MIT
// How tasks get to a pool's workers and replies come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/backlog.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/pool_statistics.hpp>
#include <multiprocessing/detail/remote_exception.hpp>
#include <multiprocessing/detail/roster.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/worker_link.hpp>

namespace multiprocessing::detail {

/// Ordinary code without a lock, as the crew is.
class task_exchange : public roster {
public:
    using roster::roster;

    backlog& work() noexcept { return work_; }
    const backlog& work() const noexcept { return work_; }

    /// Whether a worker that slept was given a task since this was last asked.
    bool take_wakings() noexcept { return std::exchange(woke_worker_, false); }

    /// Gives out what is pending, to the least loaded first: each worker gets one task before any
    /// gets a second. Always in the same order, so that where there is little to do the same few
    /// workers do it, awake, and the others sleep.
    void feed() {
        for (std::size_t level = 1; work_.has_task() && level <= most_given; level *= 2)
            for (std::size_t i = 0; i < workers_.size() && work_.has_task(); ++i)
                fill(*workers_[i], level);
    }

protected:
    ~task_exchange() = default;

    /// One round over all workers; returns whether anything moved.
    bool exchange() {
        std::size_t moved = 0;
        bool idle = false;
        bool busy = false;
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            try {
                moved += take_replies(*workers_[i]);
            } catch (const std::system_error&) {
                workers_[i]->process().kill();  // What it says cannot be believed any more.
            }
            idle = idle || workers_[i]->load() == 0;
            busy = busy || workers_[i]->load() > 1;
        }
        if (work_.has_task())
            feed();
        else if (idle && busy && moved != 0)
            balance();
        return moved != 0;
    }

    void take_last_replies(worker_link& worker) {
        try {
            take_replies(worker);
        } catch (const std::system_error&) {  // Damaged memory: what it replied cannot be known.
        }
    }

    /// Where a worker has nothing to do and another more than it runs: moves half of that over.
    void balance() {
        if (work_.has_task())
            return;
        for (auto& idle : workers_) {
            if (idle->load() != 0 || !idle->has_room())
                continue;
            worker_link* const busiest = busiest_worker();
            if (busiest == nullptr)
                return;
            busiest->take_back(busiest->load() / 2, work_.returned());
            fill(*idle, most_given);
        }
    }

    backlog work_;

private:
    // So many tasks wait in a worker's ring at most: enough to hide the way there and back of short
    // ones. More bytes than these wait only if a single task has them.
    static constexpr std::size_t most_given = 128;
    static constexpr std::size_t most_given_bytes = 1 << 20;
    // With more workers their rings, each 2 MiB in a stream, would not stay in a cache.
    static constexpr std::size_t most_streams = 16;

    /// Nor is a worker with a limit given a ring that it may be unable to map.
    bool may_stream() const noexcept {
        return workers_.size() <= most_streams && plan_.setup.memory_limit == 0;
    }

    /// Up to `level` tasks; once a worker has some, not before half of those are done: it is woken
    /// for many at once, not for one after the other.
    void fill(worker_link& worker, std::size_t level) {
        if (worker.load() > level / 2)
            return;
        while (worker.load() < level && work_.has_task() && worker.has_room() &&
               (worker.load() == 0 || worker.load_bytes() < most_given_bytes)) {
            const task_reference task = work_.next_task();
            try {
                worker.give(task, may_stream());
            } catch (...) {
                work_.fail(task, std::current_exception());
            }
        }
        woke_worker_ = worker.publish() || woke_worker_;
    }

    worker_link* busiest_worker() noexcept {
        worker_link* busiest = nullptr;
        for (auto& worker : workers_)
            if (worker->load() > (busiest == nullptr ? 1 : busiest->load()))
                busiest = worker.get();
        return busiest;
    }

    std::size_t take_replies(worker_link& worker) {
        std::size_t taken = 0;
        task_reference task;
        std::span<const std::byte> reply;
        while (worker.next_reply(task, reply)) {
            if (task.owner != nullptr)
                take_reply(worker, task, reply);
            worker.pop_reply();
            ++taken;
            if (task.owner != nullptr)
                work_.settle(task);
        }
        worker.release_replies();
        return taken;
    }

    void take_reply(worker_link& worker, const task_reference& task,
                    std::span<const std::byte> reply) noexcept {
        // It was to end for this task's sake, and answered meanwhile.
        if (worker.is_being_ended())
            return task.owner->take_error(task.task, worker.reason());
        try {
            decoder in(reply);
            const auto kind = in.read<reply_kind>();
            if (plan_.setup.measured)
                measure(worker, task, in.take_value<task_times>());
            if (kind == reply_kind::exception)
                task.owner->take_error(task.task, exception_from(in.read<exception_record>()));
            else
                task.owner->take_value(task.task, in);
        } catch (...) {
            task.owner->take_error(task.task, std::current_exception());
        }
    }

    void measure(worker_link& worker, const task_reference& task, const task_times& times) {
        worker.tally().count_time(times);
        if (trace_)
            trace_->add_task(*worker.process().pid(), task.owner->name(), task.task, times);
    }

    bool woke_worker_ = false;
};

}  // namespace multiprocessing::detail
