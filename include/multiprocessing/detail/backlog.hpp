// SPDX-License-Identifier: MIT
// The work of a pool: the tasks that no worker has, and what becomes of jobs that are done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/task.hpp>

namespace multiprocessing::detail {

/// Ordinary code without a lock: the dispatcher sees to it that one thread is in here at a time.
class backlog {
public:
    backlog() = default;
    backlog(const backlog&) = delete;
    backlog& operator=(const backlog&) = delete;

    /// `self` keeps the job until it is done; empty where the caller does.
    void accept(job& work, std::shared_ptr<job> self) {
        if (work.tasks() == 0 && !work.calls_back())
            return;
        if (work.tasks() != 0)
            enqueue(work);
        outstanding_ += work.tasks();
        urgent_ += work.is_urgent();
        timed_ += work.rules().limit.count() != 0;
        work.self = std::move(self);
        if (work.tasks() == 0)
            end(work);
    }

    /// As many tasks more of a job that has them come.
    void append(job& work, std::size_t tasks, const std::shared_ptr<job>& self) {
        if (tasks == 0)
            return;
        if (!work.has_next())
            enqueue(work);
        if (work.is_idle()) {
            timed_ += work.rules().limit.count() != 0;
            urgent_ += work.is_urgent();
        }
        work.append(tasks);
        outstanding_ += tasks;
        work.self = self;
    }

    /// Forgets those of its tasks that no worker has.
    void abandon(job& work) noexcept {
        std::size_t dropped = detail::erase_if(
            returned_, [&](const task_reference& task) { return task.owner == &work; });
        if (work.has_next())
            dequeue(work);
        dropped += work.drop_rest();
        if (dropped == 0)
            return;
        outstanding_ -= dropped;
        if (work.drop(dropped))
            end(work);
    }

    /// Tasks that have neither their value nor their error.
    std::size_t outstanding() const noexcept { return outstanding_; }
    /// Jobs that must be looked after although nobody waits for them, and those of limited time.
    std::size_t urgent() const noexcept { return urgent_; }
    std::size_t timed() const noexcept { return timed_; }

    /// Somebody is to be told of the end of a job that is under way.
    void get_hooks(job& work) noexcept {
        const bool was_urgent = work.is_urgent();
        work.get_hooks();
        urgent_ += !was_urgent;
    }

    /// Fails those of its tasks that no worker has; returns whether there were any.
    bool cancel(job& work, const std::exception_ptr& error) {
        std::vector<task_reference> dropped;
        detail::erase_if(returned_, [&](const task_reference& task) {
            if (task.owner == &work)
                dropped.push_back(task);
            return task.owner == &work;
        });
        if (work.has_next())
            dequeue(work);
        while (work.has_next())
            dropped.push_back(work.next_task());
        for (const task_reference& task : dropped)
            fail(task, error);
        return !dropped.empty();
    }

    bool has_task() const noexcept { return !returned_.empty() || !pending_.empty(); }
    task_reference next_task() {
        if (!returned_.empty()) {
            const task_reference task = returned_.front();
            returned_.pop_front();
            return task;
        }
        job* const first = pending_.front();
        const task_reference task = first->next_task();
        if (!first->has_next())
            dequeue(*first);
        return task;
    }
    /// Where tasks go that a worker had and did not begin.
    std::deque<task_reference>& returned() noexcept { return returned_; }

    /// A task has its value or its error.
    void settle(const task_reference& task) noexcept {
        --outstanding_;
        const bool done = task.owner->settle();
        finished_ = finished_ || done || task.owner->tells_each();
        if (done)
            end(*task.owner);
    }
    void fail(const task_reference& task, std::exception_ptr error) noexcept {
        task.owner->take_error(task.task, std::move(error));
        settle(task);
    }
    void fail_all(const std::exception_ptr& error) noexcept {
        while (has_task())
            fail(next_task(), error);
    }

    /// Whether there are jobs that are done and whose end is the user's code, to be run elsewhere.
    bool has_done() const noexcept { return done_ != nullptr; }
    /// One of them, to be told of its end and let go of. Empty if it has got more work meanwhile.
    std::shared_ptr<job> take_done() noexcept {
        job* const first = done_;
        done_ = std::exchange(first->next_done, nullptr);
        first->be_listed(false);
        return first->is_idle() ? std::move(first->self) : nullptr;
    }
    /// After its callbacks.
    void finish(job& done) noexcept {
        --urgent_;
        if (done.calls_back())
            done.finish();
    }
    /// Whether anything has been done, since this was asked last, that a thread may wait for.
    bool take_finished() noexcept { return std::exchange(finished_, false); }

private:
    void enqueue(job& work) {
        pending_.push_back(&work);
        work.enter_queue(dequeued_ + static_cast<std::uint32_t>(pending_.size() - 1));
    }
    /// Its place stays, empty, until it is the first: of a million jobs each may be cancelled.
    void dequeue(const job& work) noexcept {
        pending_[work.place_in_queue() - dequeued_] = nullptr;
        for (; !pending_.empty() && pending_.front() == nullptr; ++dequeued_)
            pending_.pop_front();
    }

    /// No task of it is left.
    void end(job& done) noexcept {
        timed_ -= done.rules().limit.count() != 0;
        if (!done.has_hooks())
            urgent_ -= done.is_urgent();
        let_go_of(done);
    }

    void let_go_of(job& done) noexcept {
        if (!done.self || done.is_listed())
            return;
        if (done.ends_quietly() && !done.has_hooks()) {
            done.self.reset();
        } else {
            (done_ == nullptr ? done_ : last_done_->next_done) = &done;
            last_done_ = &done;
            done.be_listed(true);
        }
    }

    /// Null where a job was taken out of its turn; the first is none of those.
    std::deque<job*> pending_;
    /// How many have left it; goes round.
    std::uint32_t dequeued_ = 0;
    std::deque<task_reference> returned_;
    /// Those whose end is the user's code, in the order of their ends; the last means something
    /// where there is a first.
    job* done_ = nullptr;
    job* last_done_ = nullptr;
    std::size_t outstanding_ = 0;
    std::size_t urgent_ = 0;
    std::size_t timed_ = 0;
    bool finished_ = false;
};

}  // namespace multiprocessing::detail
