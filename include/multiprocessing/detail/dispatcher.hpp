// SPDX-License-Identifier: MIT
// Who works in the parent's half of a pool: the threads that wait for results, one at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/crew.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/os/quiet_thread.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

// Who works. Everything is done under one lock by the threads that wait for results: one of them
// has the role of the driver, which alone sleeps on the doorbell and the workers' ends, with the
// lock free, and alone starts workers. The others sleep on a condition variable until their job is
// done or the role is free. A thread of the pool's own takes the role only where work is under way
// and nobody waits for it; it is started by the first call that returns before its work is done.
//
// Threads that come again and again, each time for a short task, take turns with nobody: the pool's
// thread only looks, now and then, whether they still come.
//
// The user's code. Values are written and read by the user's types with the lock held: such code
// that uses the pool is refused, and must not wait for a thread that does. Jobs whose end is such
// code are destroyed by the pool's thread, with the lock free and out of the role: the code may do
// as it likes, and no caller finds it run while it holds a lock of its own.
class dispatcher final : public workplace {
public:
    dispatcher(std::size_t processes, worker_maker make, process_options worker_options,
               worker_setup setup)
        : crew_(processes, make, std::move(worker_options), std::move(setup)) {}
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    /// Gives out a job and returns at once; a thread of the pool sees to it.
    void submit(const std::shared_ptr<job>& work) {
        const visit here(*this);
        if (crew_.is_open())
            start_background();
        crew_.require_open();
        ++visits_;
        crew_.work().accept(*work, work);
        crew_.feed();
        tell_driver_of_times();
        if (!driven_ && waiting_ == 0)
            wake_background();
    }

    /// Gives out a job and works until it is done.
    void run(job& work) {
        visit here(*this);
        crew_.require_open();
        ++visits_;
        crew_.work().accept(work, nullptr);
        try {
            crew_.feed();
            tell_driver_of_times();
            drive(
                here, [&] { return work.done(); }, deadline::never());
        } catch (...) {  // The job may refer to what the caller is about to destroy.
            fail_everything(std::current_exception());
            throw;
        }
    }

    /// Works until the result is there or time runs out; returns whether it is.
    bool wait(const awaited& work, const deadline& until) override {
        if (work.ready())
            return true;
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
        tell_driver_of_times();
        return drive(here, done, until);
    }

    /// Forgets what no worker has of a job that nobody reads any more, and calls `after()` with the
    /// lock held.
    template <class After>
    void abandon(job& work, After after) {
        const visit here(*this);
        crew_.work().abandon(work);
        after();
    }

    /// No more jobs.
    void close() {
        const visit here(*this);
        crew_.close();
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
            throw;
        }
        call_all();
    }

    /// Waits until all work is done and the workers have ended. The pool must be closed.
    void join() {
        visit here(*this);
        if (crew_.is_open())
            throw ValueError("the pool is still running: call close() or terminate() first");
        drive(
            here, [&] { return crew_.work().outstanding() == 0; }, deadline::never());
        await_role(here);
        {
            const role_holder role(*this);
            ended_ = true;
            end_workers(here);
        }
        stop_background(here);
    }

    std::size_t processes() const noexcept { return crew_.processes(); }
    /// Whether this is the process that made it. In a child that is a copy of that one its lock may
    /// be held by a thread that is not there.
    bool is_owned() const noexcept override { return owner_ == process_id(); }

    std::vector<int> worker_pids() {
        const visit here(*this);
        return crew_.pids();
    }

private:
    /// A thread's stay, with the lock held.
    class visit {
    public:
        explicit visit(dispatcher& of) : of_(of), lock_(of.mutex_, std::defer_lock) {
            for (const visit* one = innermost(); one != nullptr; one = one->outer_)
                if (&one->of_ == &of)
                    throw ProcessError("code that writes or reads a task's values cannot use the "
                                       "pool that the task is given to");
            of.knocking_.fetch_add(1, std::memory_order_relaxed);
            lock_.lock();
            of.knocking_.fetch_sub(1, std::memory_order_relaxed);
            outer_ = std::exchange(innermost(), this);
        }
        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;
        ~visit() {
            of_.pass_on_done_jobs();
            innermost() = outer_;
        }

        std::unique_lock<std::mutex>& lock() noexcept { return lock_; }

    private:
        static const visit*& innermost() noexcept {
            thread_local const visit* one = nullptr;
            return one;
        }

        dispatcher& of_;
        std::unique_lock<std::mutex> lock_;
        const visit* outer_ = nullptr;
    };

    // Rounds with progress after which the ends of processes are looked at without sleeping.
    static constexpr unsigned rounds_between_looks = 1024;

    // ---- driving

    /// One round; returns whether anything moved.
    bool step() {
        const bool moved = crew_.step();
        if (crew_.work().take_finished()) {
            call_followers();
            pass_on_done_jobs();
        }
        return moved;
    }

    /// Works until `done()` or the time has passed; returns `done()`.
    template <class Done>
    bool drive(visit& here, Done done, const deadline& until) {
        const departure at_the_end(*this);
        while (!done()) {
            if (driven_) {
                if (!spin_as_guest(done) && (until.passed() || !follow(here, until)))
                    return done();
            } else if (!drive_in_role(here, done, until)) {
                return done();
            }
        }
        return true;
    }

    /// Works until `done()`; false when the time has passed.
    template <class Done>
    bool drive_in_role(visit& here, Done done, const deadline& until) {
        const role_holder role(*this);
        while (!done()) {
            const bool moved = step() || spin_until([&] { return crew_.any_reply(); });
            if (until.passed())
                return false;
            if (moved)
                look_now_and_then();
            else if (!crew_.heal() && !done())
                sleep(here, until);
            step_aside(here);
        }
        return true;
    }

    /// The mutex alone would be given back, time and again, to the driver that has just let go of
    /// it: while replies keep coming no other thread would get in.
    void step_aside(visit& here) {
        for (int turn = 0; turn < 16 && is_wanted(); ++turn) {
            here.lock().unlock();
            std::this_thread::yield();
            here.lock().lock();
        }
    }
    bool is_wanted() const noexcept {
        return called_ != 0 || knocking_.load(std::memory_order_relaxed) != 0;
    }

    class role_holder {
    public:
        explicit role_holder(dispatcher& of) noexcept : of_(&of) { of_->driven_ = true; }
        role_holder(const role_holder&) = delete;
        role_holder& operator=(const role_holder&) = delete;
        ~role_holder() { of_->leave_role(); }

    private:
        dispatcher* of_;
    };

    /// Returns when nobody drives; the caller takes the role before it lets go of the lock.
    void await_role(visit& here) {
        while (driven_) {
            wake_driver();
            follow(here, deadline::never());
        }
    }
    void leave_role() noexcept {
        driven_ = false;
        call_followers();
    }
    void call_followers() noexcept {
        called_ = waiting_;
        if (waiting_ > 0)
            done_.notify_all();
    }

    /// Work that nobody waits for any more is the pool's thread's. Also after a wait whose time has
    /// passed: it may have kept that thread from the role, and been called to it in vain.
    class departure {
    public:
        explicit departure(dispatcher& of) noexcept : of_(&of) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() {
            if (!of_->driven_ && of_->waiting_ == 0 && of_->crew_.work().outstanding() != 0)
                of_->wake_background();
        }

    private:
        dispatcher* of_;
    };

    /// While the driver sleeps its lock is free: short work need not wait for it to wake.
    template <class Done>
    bool spin_as_guest(Done done) {
        spin_until([&] { return step() || done(); });
        return done();
    }

    /// Sleeps until a job is done or the role may be free; false when the time has passed.
    bool follow(visit& here, const deadline& until) {
        if (in_background_)
            wake_driver();  // It makes way for a thread that waits.
        ++waiting_;
        bool in_time = true;
        if (until.is_never())
            done_.wait(here.lock());
        else
            in_time = done_.wait_until(here.lock(), until.moment()) == std::cv_status::no_timeout;
        --waiting_;
        called_ -= called_ != 0 ? 1 : 0;
        return in_time;
    }

    /// One that sleeps knows only of the limits that there were.
    void tell_driver_of_times() {
        if (driven_ && crew_.work().timed() != 0)
            wake_driver();
    }
    void wake_driver() {
        if (driven_)
            throw_if_error(crew_.ring(), "ring a pool's doorbell");
    }

    /// The driver's sleep: until a bell, the end of a worker, or the time.
    void sleep(visit& here, const deadline& until) {
        crew_.want_rings(true);
        // Pairs with the fence in worker_loop::ring_if_wanted().
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (crew_.any_reply())
            return crew_.want_rings(false);
        const deadline limit = deadline::earlier(until, crew_.next_time());
        here.lock().unlock();
        const auto ec = crew_.listen(limit);
        here.lock().lock();
        crew_.want_rings(false);
        throw_if_error(ec, "wait for a pool's workers");
        crew_.hear();
    }

    void look_now_and_then() {
        if (++rounds_ % rounds_between_looks != 0)
            return;
        throw_if_error(crew_.listen(deadline::now()), "look at a pool's workers");
        crew_.hear();
    }

    // ---- the end

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

    void start_background() {
        if (!background_.joinable())
            background_ = start_quiet_thread([this] { run_background(); });
    }
    void stop_background(visit& here) {
        stopping_ = true;
        background_wake_.notify_one();
        std::thread ended = std::exchange(background_, {});
        here.lock().unlock();
        if (ended.joinable())
            ended.join();
        here.lock().lock();
    }

    void run_background() {
        while (await_work()) {
            settle_done_jobs();
            work_in_background();
        }
    }

    // A thread that comes back within this time is not relieved of its work: to call the pool's
    // thread to it and to take it back would cost more than most tasks.
    static constexpr std::chrono::milliseconds watch_time{1};

    enum class background_state { away, asleep, watching };

    void wake_background() noexcept {
        const bool urgent = crew_.work().has_done() || crew_.is_urgent();
        if (background_state_ == background_state::asleep ||
            (urgent && background_state_ == background_state::watching))
            background_wake_.notify_one();
    }

    /// Returns when there is something to do that no other thread will; false when the pool has
    /// ended.
    bool await_work() {
        visit here(*this);
        bool quiet = false;  // Nobody has been here for as long as a watch lasts.
        while (!stopping_ && !crew_.work().has_done()) {
            if (has_work_in_background() && (quiet || crew_.is_urgent()))
                break;
            const std::uint64_t seen = visits_;
            const bool watch = !quiet || has_work_in_background();
            background_state_ = watch ? background_state::watching : background_state::asleep;
            if (watch)
                background_wake_.wait_for(here.lock(), watch_time);
            else
                background_wake_.wait(here.lock());
            background_state_ = background_state::away;
            quiet = watch && visits_ == seen;
        }
        return !stopping_ || crew_.work().has_done();
    }

    void pass_on_done_jobs() noexcept {
        if (crew_.work().has_done())
            wake_background();
    }

    void settle_done_jobs() {
        while (const auto done = take_done_job()) {
            if (!done->has_hooks())
                continue;
            done->call_back();
            const visit here(*this);
            crew_.work().finish(*done);
            call_all();
        }
    }
    std::shared_ptr<job> take_done_job() {
        const visit here(*this);
        std::shared_ptr<job> done;
        while (!done && crew_.work().has_done())
            done = crew_.work().take_done();
        return done;
    }

    void work_in_background() {
        visit here(*this);
        if (!has_work_in_background())
            return;
        in_background_ = true;
        const std::uint64_t seen = visits_;
        try {
            drive_in_role(
                here,
                [&] {
                    return !nobody_waits() || crew_.work().has_done() ||
                           (visits_ != seen && !crew_.is_urgent());
                },
                deadline::never());
        } catch (...) {
            fail_everything(std::current_exception());
        }
        in_background_ = false;
    }

    bool nobody_waits() const noexcept {
        return crew_.work().outstanding() != 0 && waiting_ == 0 && !stopping_;
    }
    bool has_work_in_background() const noexcept { return nobody_waits() && !driven_; }

    void fail_everything(const std::exception_ptr& error) noexcept {
        crew_.fail_everything(error);
        call_all();
    }
    void call_all() noexcept {
        call_followers();
        if (driven_)
            crew_.ring();  // One that cannot be rung cannot be slept on either.
    }

    std::mutex mutex_;
    /// Threads that are about to take the lock; only a hint to the driver.
    std::atomic<int> knocking_{0};
    std::condition_variable done_;
    std::condition_variable background_wake_;
    const int owner_ = process_id();
    crew crew_;
    unsigned rounds_ = 0;
    /// Followers, and those among them that were called and are not awake yet.
    int waiting_ = 0;
    int called_ = 0;
    /// Calls so far that give or await work.
    std::uint64_t visits_ = 0;
    background_state background_state_ = background_state::away;
    bool driven_ = false;
    bool stopping_ = false;
    /// No worker takes a task any more.
    bool ended_ = false;
    bool in_background_ = false;
    std::thread background_;
};

}  // namespace multiprocessing::detail
