// SPDX-License-Identifier: MIT
// The pool's own thread: works where nobody waits, and runs the user's code that has no other
// thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include <multiprocessing/detail/crew.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/driver.hpp>
#include <multiprocessing/detail/os/quiet_thread.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/watch.hpp>

namespace multiprocessing::detail {

class background_driver : protected driver {
protected:
    explicit background_driver(crew_plan plan) : driver(std::move(plan)) {}
    ~background_driver() = default;

    void start_background() {
        if (!background_.joinable())
            background_ = start_quiet_thread([this] {
                run_background();
                const std::shared_ptr<void> last = std::move(kept_until_end_);
            });
    }
    /// Returns when it has ended, also where another thread has asked for that.
    void stop_background(visit& here) {
        stopping_ = true;
        background_wake_.notify_one();
        if (background_.joinable()) {
            std::thread ended = std::exchange(background_, {});
            being_stopped_ = true;
            here.lock().unlock();
            ended.join();
            here.lock().lock();
            being_stopped_ = false;
            call_followers();
        }
        while (being_stopped_)
            follow(here, deadline::never());
    }
    /// For the pool's own thread: it ends when it has nothing more to do, and the pool not before.
    void leave_background(std::shared_ptr<void> self) {
        stopping_ = true;
        background_.detach();
        kept_until_end_ = std::move(self);
    }
    /// With or without the lock: only that thread itself ever finds its own number there. It takes
    /// it away at its end: the system may give it to another then.
    bool is_background_thread() const noexcept {
        return background_id_.load(std::memory_order_relaxed) == std::this_thread::get_id();
    }

private:
    void run_background() {
        background_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
        while (await_work()) {
            settle_done_jobs();
            work_in_background();
        }
        background_id_.store({}, std::memory_order_relaxed);
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
            const bool watches = !quiet || has_work_in_background();
            background_state_ = watches ? background_state::watching : background_state::asleep;
            if (!watches)
                background_wake_.wait(here.lock());
            else if (background_wake_.wait_for(here.lock(), watch_.time()) ==
                     std::cv_status::timeout)
                watch_.ended(visits_ - seen);
            background_state_ = background_state::away;
            quiet = watches && visits_ == seen;
        }
        return !stopping_ || crew_.work().has_done();
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

    std::thread background_;
    /// That thread's.
    watch watch_;
    /// That thread's, which alone sets it.
    std::shared_ptr<void> kept_until_end_;
    std::atomic<std::thread::id> background_id_{};
    bool being_stopped_ = false;
};

}  // namespace multiprocessing::detail
