// SPDX-License-Identifier: MIT
// The parent's half of a pool: what is asked of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <multiprocessing/detail/background_driver.hpp>
#include <multiprocessing/detail/crew.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

class dispatcher final : public workplace,
                         public std::enable_shared_from_this<dispatcher>,
                         private background_driver {
public:
    explicit dispatcher(crew_plan plan) : background_driver(std::move(plan)) {}
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    /// Gives out a job and returns at once; a thread of the pool sees to it.
    void submit(const std::shared_ptr<job>& work) {
        const visit here(*this);
        if (crew_.is_open())
            start_background();
        crew_.require_open();
        crew_.work().accept(*work, work);
        try {
            crew_.feed();
            tell_of_new_work();
        } catch (...) {  // The caller gets nothing that he could wait for.
            fail_everything(std::current_exception());
            throw_again();
        }
        if (!driven_ && waiting_ == 0)
            wake_background();
    }

    /// Gives out a job and works until it is done.
    void run(job& work) {
        run(work, timeout(), [](std::size_t) {});
    }
    /// The same; calls `look`, each time that so much time has passed, with the number of its tasks
    /// that are done.
    template <class Look>
    void run(job& work, const timeout& every, Look look) {
        visit here(*this);
        crew_.require_open();
        ++visits_;
        crew_.work().accept(work, nullptr);
        const auto done = [&] { return work.done(); };
        try {
            crew_.feed();
            tell_of_new_work();
            while (!drive(here, done, deadline::after(every)))
                look_unlocked(here, look, work.tasks_done());
        } catch (...) {  // The job may refer to what the caller is about to destroy.
            fail_everything(std::current_exception());
            throw_again();
        }
    }

    /// Works until the result is there or time runs out; returns whether it is.
    bool wait(const awaited& work, const deadline& until) override {
        if (work.ready())
            return true;
        if (work.awaits_callback() && is_background_thread())
            throw ProcessError("a callback cannot wait for a result that has a callback of its own: "
                               "it would be called by the same thread");
        visit here(*this);
        ++visits_;
        return drive(
            here, [&] { return work.ready(); }, until);
    }

    /// Gives up a job that is not done; see crew::cancel().
    bool cancel(job& work, bool also_running) {
        const visit here(*this);
        if (work.done())
            return false;
        const bool any = crew_.cancel(work, also_running);
        call_all();
        wake_background();
        return any;
    }
    bool is_running(const job& work) {
        const visit here(*this);
        return !work.done() && crew_.is_running(work);
    }

    /// Has `follower` called by the pool's thread when the job is done; returns what unfollow()
    /// takes, or 0 where it is done: then nothing is called.
    template <class Job>
    std::size_t follow(Job& work, function<void()> follower) {
        const visit here(*this);
        if (work.done())
            return 0;
        const std::size_t number = work.follow(std::move(follower));
        crew_.work().get_hooks(work);
        if (!driven_ && waiting_ == 0)
            wake_background();
        return number;
    }
    template <class Job>
    void unfollow(Job& work, std::size_t number) {
        const visit here(*this);
        if (!work.done())
            work.unfollow(number);
    }

    /// Throws `ValueError` where it takes no more work.
    void require_open() {
        const visit here(*this);
        crew_.require_open();
    }

    /// Gives out so many tasks more of a job, and works until `done()` or the time has passed;
    /// returns `done()`. Throws `ProcessError` where the workers are gone, with nothing given out.
    template <class Done>
    bool stream(const std::shared_ptr<job>& work, std::size_t more, Done done,
                const deadline& until) {
        visit here(*this);
        if (ended_ && more != 0)
            throw ProcessError("the pool ended before all elements were taken from the range");
        if (!ended_)
            start_background();
        ++visits_;
        crew_.work().append(*work, more, work);
        crew_.feed();
        tell_of_new_work();
        return drive(here, done, until);
    }

    /// Calls `before()` with the lock held, and forgets what no worker has begun of a job that
    /// nobody reads any more.
    template <class Before>
    void abandon(job& work, Before before) {
        const visit here(*this);
        before();
        if (!crew_.abandon(work))
            return;
        call_all();
        wake_background();
    }

    /// No more jobs.
    void close() {
        const visit here(*this);
        crew_.close();
    }

    /// Changes the number of workers; see crew::resize().
    void resize(std::size_t processes) {
        visit here(*this);
        crew_.require_open();
        await_role(here);
        crew_.require_open();
        const role_holder role(*this);
        crew_.resize(processes);
        start_background();
        wake_background();
    }
    std::vector<worker_statistics> statistics() {
        const visit here(*this);
        return crew_.statistics();
    }

    /// Gives up all that no worker has begun.
    void cancel_pending() {
        const visit here(*this);
        crew_.cancel_pending();
        call_all();
    }

    /// Ends the workers now, by a signal that they may heed or not; what they had not answered
    /// fails.
    void terminate(int signal = child_process::terminate_signal) {
        const visit here(*this);
        ended_ = true;
        try {
            crew_.terminate(signal);
        } catch (...) {  // A worker cannot be sent a signal; all work has failed by then.
            call_all();
            throw_again();
        }
        call_all();
    }

    /// Waits until all work is done and the workers have ended. The pool must be closed. Throws
    /// `ProcessError` in a callback of the pool's, which is work of its own.
    void join() {
        visit here(*this);
        if (crew_.is_open())
            throw ValueError("the pool is still running: call close() or terminate() first");
        if (is_background_thread())
            throw ProcessError("a callback cannot wait for the end of its own pool");
        finish_work(here);
        retire(here);
        stop_background(here);
    }

    /// Takes no more work and waits until all is done and the workers have ended; in a callback,
    /// too, as end() does.
    void finish() {
        close();
        if (!is_background_thread())
            return join();
        visit here(*this);
        finish_work(here);
        leave(here);
    }

    /// Ends the workers now and waits until they have ended; in a callback, too, whose thread then
    /// ends later, and with it this object.
    void end() {
        terminate();
        if (!is_background_thread())
            return join();
        visit here(*this);
        await_role(here);
        leave(here);
    }

    std::size_t processes() {
        const visit here(*this);
        return crew_.processes();
    }
    /// Whether this is the process that made it. In a child that is a copy of that one its lock may
    /// be held by a thread that is not there.
    bool is_owned() const noexcept override { return owner_ == process_id(); }

    std::vector<int> worker_pids() {
        const visit here(*this);
        return crew_.pids();
    }

private:
    template <class Look>
    static void look_unlocked(visit& here, Look& look, std::size_t tasks) {
        struct relock {
            std::unique_lock<std::mutex>& lock;
            ~relock() { lock.lock(); }
        };
        here.lock().unlock();
        const relock again{here.lock()};
        look(tasks);
    }

    /// Returns when all is done and nobody drives.
    void finish_work(visit& here) {
        do {
            drive(
                here, [&] { return crew_.work().outstanding() == 0; }, deadline::never());
            await_role(here);  // A stream may have been given more meanwhile.
        } while (crew_.work().outstanding() != 0);
    }
    /// The workers' end in a callback: the rest is done by its thread when that has returned.
    void leave(visit& here) {
        retire(here);
        leave_background(shared_from_this());
    }

    /// The workers' end. Nobody drives.
    void retire(visit& here) {
        const role_holder role(*this);
        ended_ = true;
        end_workers(here);
        crew_.close_trace();
    }

    /// Waits for all of them at once, and for the pool to be terminated meanwhile: from then on one
    /// that does not heed SIGTERM has a second.
    void end_workers(visit& here) {
        if (!crew_.is_terminated())
            crew_.ask_to_end();
        deadline until = deadline::never();
        while (!crew_.has_ended()) {
            if (crew_.is_terminated() && until.is_never())
                until = deadline::after(std::chrono::seconds(1));
            here.lock().unlock();
            const auto ec = crew_.listen(until);
            here.lock().lock();
            throw_if_error(ec, "wait for the end of a pool's workers");
            crew_.hear_of_ends();
            if (until.passed())
                crew_.kill_workers();
        }
    }

    const int owner_ = process_id();
    /// No worker takes a task any more.
    bool ended_ = false;
};

}  // namespace multiprocessing::detail
