// SPDX-License-Identifier: MIT
// Who works in the parent's half of a pool: the threads that wait for results, one at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <multiprocessing/detail/crew.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>

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
class driver {
public:
    driver(const driver&) = delete;
    driver& operator=(const driver&) = delete;

protected:
    explicit driver(crew_plan plan) : crew_(std::move(plan)) {}
    ~driver() = default;

    /// A thread's stay, with the lock held.
    class visit {
    public:
        explicit visit(driver& of) : of_(of), lock_(of.mutex_, std::defer_lock) {
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

        driver& of_;
        std::unique_lock<std::mutex> lock_;
        const visit* outer_ = nullptr;
    };

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
            if (driven_ || role_wanted_ != 0) {
                if (!spin_as_guest(done) && (until.passed() || !follow(here, until)))
                    return done();
            } else if (!drive_in_role(here, done, until)) {
                return done();
            }
        }
        return true;
    }

    /// Works until `done()`, or the role is wanted for something else; false when the time has
    /// passed.
    template <class Done>
    bool drive_in_role(visit& here, Done done, const deadline& until) {
        const role_holder role(*this);
        while (!done() && role_wanted_ == 0) {
            const bool moved = step() || look_for_replies();
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

    /// With the lock held, and so not while others want it.
    bool look_for_replies() {
        if (crew_.take_wakings())
            patience_.has_woken();
        patience_.spin([&] { return crew_.any_reply() || is_knocked(); });
        return crew_.any_reply();
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
    bool is_wanted() const noexcept { return called_ != 0 || is_knocked(); }
    bool is_knocked() const noexcept { return knocking_.load(std::memory_order_relaxed) != 0; }

    class role_holder {
    public:
        explicit role_holder(driver& of) noexcept : of_(&of) { of_->driven_ = true; }
        role_holder(const role_holder&) = delete;
        role_holder& operator=(const role_holder&) = delete;
        ~role_holder() { of_->leave_role(); }

    private:
        driver* of_;
    };

    /// Returns when nobody drives; the caller takes the role before it lets go of the lock.
    void await_role(visit& here) {
        const wish for_role(*this);
        while (driven_) {
            wake_driver();
            follow(here, deadline::never());
        }
    }
    /// While there is one the driver leaves the role and nobody takes it to drive, which could last
    /// as long as his work does.
    class wish {
    public:
        explicit wish(driver& of) noexcept : of_(of) { ++of.role_wanted_; }
        wish(const wish&) = delete;
        wish& operator=(const wish&) = delete;
        ~wish() {
            --of_.role_wanted_;
            of_.call_followers();
        }

    private:
        driver& of_;
    };
    void leave_role() noexcept {
        driven_ = false;
        call_followers();
    }
    void call_followers() noexcept {
        called_ = waiting_;
        if (waiting_ > 0)
            done_.notify_all();
    }

    /// What nobody waits for any more, work or the end of a worker that is too much, is the pool's
    /// thread's. Also after a wait whose time has passed: it may have kept that thread from the
    /// role, and been called to it in vain.
    class departure {
    public:
        explicit departure(driver& of) noexcept : of_(&of) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() {
            if (of_->has_work_in_background())
                of_->wake_background();
        }

    private:
        driver* of_;
    };

    /// While the driver sleeps its lock is free: short work need not wait for it to wake.
    template <class Done>
    bool spin_as_guest(Done done) {
        spin_until([&] { return step() || done() || is_knocked(); }, short_look);
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

    /// After new work was fed: what has ended with it already is told, and a driver that sleeps
    /// hears of limits that there were not, and that more workers are to be started.
    void tell_of_new_work() {
        if (crew_.work().take_finished() || crew_.work().has_done())
            call_all();
        if (driven_ && (crew_.work().timed() != 0 || crew_.lacks_workers()))
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
        const auto ec = listen(limit);
        here.lock().lock();
        crew_.want_rings(false);
        throw_if_error(ec, "wait for a pool's workers");
        crew_.hear();
    }

    std::error_code listen(const deadline& limit) {
        const patience::sleep now(patience_);
        return crew_.listen(limit);
    }

    void look_now_and_then() {
        if (++rounds_ % rounds_between_looks != 0)
            return;
        throw_if_error(crew_.listen(deadline::now()), "look at a pool's workers");
        crew_.hear();
    }

    // ---- the pool's own thread

    enum class background_state { away, asleep, watching };

    void wake_background() noexcept {
        const bool urgent = crew_.work().has_done() || crew_.is_urgent();
        if (background_state_ == background_state::asleep ||
            (urgent && background_state_ == background_state::watching))
            background_wake_.notify_one();
    }

    void pass_on_done_jobs() noexcept {
        if (crew_.work().has_done())
            wake_background();
    }

    bool nobody_waits() const noexcept { return crew_.has_work() && waiting_ == 0 && !stopping_; }
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
    crew crew_;
    /// Followers, and those among them that were called and are not awake yet.
    int waiting_ = 0;
    int called_ = 0;
    /// Calls so far that await work.
    std::uint64_t visits_ = 0;
    background_state background_state_ = background_state::away;
    /// The driver's, whoever that is.
    patience patience_;
    bool driven_ = false;
    /// Threads that want it for something other than to drive.
    int role_wanted_ = 0;
    bool in_background_ = false;
    bool stopping_ = false;

private:
    // Rounds with progress after which the ends of processes are looked at without sleeping.
    static constexpr unsigned rounds_between_looks = 1024;

    unsigned rounds_ = 0;
};

}  // namespace multiprocessing::detail
