// SPDX-License-Identifier: MIT
// A pool's workers as they come and go: replaces those that die, ends those that are too slow or too
// many, and sees to it that no task is lost with them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/backlog.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/loss_report.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/doorbell.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/pool_statistics.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/task_exchange.hpp>
#include <multiprocessing/detail/worker_link.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

// What a worker's death costs. Its replies are read first: what it had published counts. The task
// it had begun fails with WorkerLostError; those it had been given and not begun go to others.

/// Ordinary code without a lock: the dispatcher sees to it that one thread is in here at a time.
/// listen() alone is called without that, by the thread that has the dispatcher's role of the
/// driver.
class crew : public task_exchange {
public:
    using task_exchange::task_exchange;

    /// Starts workers, or has some end after the task that they are at; those have no other then.
    /// Throws what `Process::start` throws.
    void resize(std::size_t processes) {
        processes_ = processes;
        for (std::size_t i = workers_.size(); i > 0 && active() > processes_; --i)
            retire(*workers_[i - 1]);
        if (open_ && !plan_.lazy && active() < processes_)
            start_workers(processes_ - active());
        feed();
        balance();
    }
    bool is_open() const noexcept { return open_; }
    bool is_terminated() const noexcept { return terminated_; }
    /// Before work is accepted.
    void require_open() {
        if (!open_)
            throw ValueError("the pool is not running: it was closed or terminated");
        no_start_ = nullptr;  // What was in the initializer's way may be gone.
    }

    void close() noexcept { open_ = false; }

    void cancel_pending() {
        for (auto& worker : workers_)
            worker->take_back(worker->load(), work_.returned());
        work_.fail_all(std::make_exception_ptr(CancelledError()));
    }

    void terminate(int signal) {
        open_ = false;
        terminated_ = true;
        fail_everything(std::make_exception_ptr(ProcessError("the pool was terminated")));
        for (auto& worker : workers_) {
            if (signal == child_process::kill_signal)
                worker->process().kill();
            else if (worker->is_known_idle())
                worker->ask_to_end();  // What its tasks have printed is not lost.
            else
                worker->process().terminate();
        }
    }

    /// Gives up a job: what has not begun, and, if asked, what runs, whose workers are ended.
    /// Returns whether there was any of that.
    bool cancel(job& work, bool also_running) {
        const auto error = std::make_exception_ptr(CancelledError());
        for (auto& worker : workers_) {
            take_last_replies(*worker);
            if (worker->has(work))
                worker->take_back(worker->load(), work_.returned());
        }
        bool any = work_.cancel(work, error);
        for (auto& worker : workers_) {
            if (also_running && worker->running().owner == &work && !worker->is_being_ended()) {
                any = end_running(*worker, error) || any;
            }
        }
        feed();
        return any;
    }
    /// Forgets what no worker has begun of a job that nobody reads any more; returns whether a
    /// worker had any of it.
    bool abandon(job& work) {
        bool any = false;
        for (auto& worker : workers_) {
            if (!worker->has(work))
                continue;
            any = true;
            take_last_replies(*worker);
            worker->take_back(worker->load(), work_.returned());
        }
        work_.abandon(work);
        if (any)
            feed();
        return any;
    }
    /// Whether a worker has begun it.
    bool is_running(const job& work) const noexcept {
        for (const auto& worker : workers_)
            if (worker->running().owner == &work)
                return true;
        return false;
    }

    /// When a task's time may be over, or a worker that is being ended is to be killed.
    deadline next_time() const noexcept {
        deadline first = deadline::never();
        for (const auto& worker : workers_) {
            first = deadline::earlier(first, worker->kill_time());
            if (work_.timed() != 0 && !worker->is_being_ended())
                first = deadline::earlier(first, worker->next_limit());
        }
        return first;
    }
    /// Ends the workers whose task has had its time. Tasks that wait behind it go to others first.
    void look_at_times() {
        for (auto& worker : workers_) {
            if (worker->kill_time().passed())
                worker->kill();
            if (work_.timed() == 0 || worker->is_being_ended() || !worker->next_limit().passed())
                continue;
            take_last_replies(*worker);
            if (worker->is_over_time())
                end_running(*worker, over_time(worker->running()));
        }
    }
    /// Whether somebody must be here although nobody waits.
    bool is_urgent() const noexcept {
        return work_.urgent() != 0 || ending_ != 0 || retiring_ != 0;
    }
    /// Whether there is more work than workers, and there could be more of those.
    bool lacks_workers() const noexcept {
        return work_.outstanding() != 0 && active() < wanted();
    }
    /// Whether there is anything to be done.
    bool has_work() const noexcept { return work_.outstanding() != 0 || retiring_ != 0; }

    /// One round; returns whether anything moved.
    bool step() { return !terminated_ && exchange(); }

    /// Tries again what the system may have refused when a worker died; returns whether there are
    /// more workers now.
    bool heal() {
        if (!lacks_workers())
            return false;
        const std::size_t before = workers_.size();
        replace_workers();
        if (workers_.size() == before)
            return false;
        feed();
        balance();
        return true;
    }

    /// No work may wait for ever: neither in a pool that was terminated, nor in one that the system
    /// refuses what it cannot do without. What workers still reply to tasks that failed here is
    /// dropped.
    void fail_everything(const std::exception_ptr& error) noexcept {
        work_.fail_all(error);
        for (auto& worker : workers_)
            worker->disown([&](const task_reference& task) { work_.fail(task, error); });
    }

    /// Does what listen() heard of.
    void hear() {
        bool deaths = false;
        for (const std::uint64_t key : ready_) {
            if (key == bell_key)
                bell_->silence();
            else
                bury_number(key);
            deaths = deaths || key != bell_key;
        }
        look_at_times();
        if (!deaths)
            return;
        replace_workers();
        feed();
        balance();
    }

    void ask_to_end() {
        for (auto& worker : workers_)
            if (!worker->is_retiring())
                worker->ask_to_end();
    }

    /// Lets go of the workers whose end listen() heard of.
    void hear_of_ends() {
        for (const std::uint64_t key : ready_)
            key == bell_key ? bell_->silence() : forget_worker(key);
    }

    void kill_workers() {
        for (auto& worker : workers_) {
            wait_set_.remove(worker->process().sentinel());
            end_group(*worker);
            end_at_once(worker->process());
            last_words(*worker);
        }
        workers_.clear();
    }

private:
    // Workers that die without ever having begun a task, one after the other: they cannot. One that
    // is killed may have been so from outside; not so many in a row, while no other one works.
    static constexpr std::size_t most_stillborn = 8;
    static constexpr std::size_t most_killed_early = 64;

    /// As many as there is work for, where they are started late.
    std::size_t wanted() const noexcept {
        return plan_.lazy ? smaller_of(processes_, work_.outstanding()) : processes_;
    }
    void retire(worker_link& worker) {
        if (worker.is_retiring() || worker.is_being_ended())
            return;
        worker.take_back(worker.load(), work_.returned());
        worker.retire();
        ++retiring_;
    }

    /// Ends it for the sake of the task that it is at; false where it has answered that and is not
    /// to be ended: what it might have begun since is another's.
    bool end_running(worker_link& worker, std::exception_ptr reason) {
        const task_reference task = worker.running();
        worker.take_back(worker.load(), work_.returned());
        take_last_replies(worker);
        const task_reference now = worker.running();
        if (now.owner != task.owner || now.task != task.task)
            return false;
        worker.end(std::move(reason));
        ++ending_;
        return true;
    }

    static std::exception_ptr over_time(const task_reference& task) {
        const std::chrono::duration<double> limit = task.owner->rules().limit;
        char seconds[32];
        std::snprintf(seconds, sizeof seconds, "%.9g s", limit.count());
        return std::make_exception_ptr(TimeoutError(task.owner->name() + " ran longer than " +
                                                    seconds + " and was ended"));
    }

    /// Brings the workers back to their number, as far as the system allows. With none left all
    /// work fails with the reason; with some it goes on.
    void replace_workers() {
        try {
            if (active() >= wanted() || terminated_ || (!open_ && work_.outstanding() == 0))
                return;
            if (no_start_)
                throw InitializerError(no_start_);
            if (stillborn_ >= most_stillborn || killed_early_ >= most_killed_early)
                throw ProcessError("the pool's workers keep dying before they take a task; the "
                                   "last one " +
                                   last_end_);
            start_workers(wanted() - active());
        } catch (...) {
            if (workers_.empty()) {
                work_.fail_all(std::current_exception());
                stillborn_ = 0;  // What comes later tries again.
                killed_early_ = 0;
                no_start_ = nullptr;
            }
        }
    }

    void bury(std::size_t place) {
        const std::unique_ptr<worker_link> worker = std::move(workers_[place]);
        workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(place));
        wait_set_.remove(worker->process().sentinel());
        const bool was_asked = worker->is_being_ended() || worker->is_retiring();
        ending_ -= worker->is_being_ended();
        retiring_ -= worker->is_retiring();
        end_group(*worker);
        const auto exitcode = end_of(worker->process());
        last_end_ = describe_end(exitcode);
        take_last_replies(*worker);
        if (!was_asked)
            count_stillborn(*worker, exitcode);
        if (plan_.setup.measured)
            ended_.push_back(present(*worker, false));
        const loss_report report(worker->process(), exitcode, memory_.has_killed(exitcode),
                                 last_words(*worker));
        worker->settle_up(
            [&](const task_reference& lost) { settle_lost(lost, worker->reason(), report); },
            work_.returned());
    }

    /// Of a worker that was ended for a task's sake it is that task.
    void settle_lost(const task_reference& lost, const std::exception_ptr& reason,
                     const loss_report& report) {
        if (reason)
            work_.fail(lost, reason);
        else if (lost.owner->may_retry(lost.task))
            work_.returned().push_back(lost);
        else
            work_.fail(lost, report.error(lost));
    }

    void count_stillborn(const worker_link& worker, std::optional<int> exitcode) noexcept {
        bool any_works = worker.has_begun();
        for (const auto& other : workers_)
            any_works = any_works || other->has_begun();
        if (any_works)
            killed_early_ = 0;
        if (worker.no_start())
            no_start_ = worker.no_start();
        else if (worker.has_begun())
            stillborn_ = 0;
        else if (exitcode != -child_process::kill_signal &&
                 exitcode != -child_process::terminate_signal)
            ++stillborn_;
        else if (!any_works)
            ++killed_early_;
    }

    void bury_number(std::uint64_t number) {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            if (workers_[i]->number() == number) {
                bury(i);
                return;
            }
        }
    }

    void forget_worker(std::uint64_t number) {
        for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
            if ((*worker)->number() != number)
                continue;
            wait_set_.remove((*worker)->process().sentinel());
            if (terminated_)
                end_group(**worker);
            (*worker)->process().join();
            last_words(**worker);
            if (plan_.setup.measured)
                ended_.push_back(present(**worker, false));
            workers_.erase(worker);
            return;
        }
    }

    std::size_t stillborn_ = 0;
    std::size_t killed_early_ = 0;
    /// Workers that are being ended for a task's sake.
    std::size_t ending_ = 0;
    /// What the initializer threw in the worker that ended last.
    std::exception_ptr no_start_;
    std::string last_end_;
    memory_watch memory_;
    bool open_ = true;
    bool terminated_ = false;
};

}  // namespace multiprocessing::detail
