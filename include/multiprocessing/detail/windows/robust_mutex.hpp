// SPDX-License-Identifier: MIT
// Windows backend of detail/os/robust_mutex.hpp: a word that names its holder, and kernel objects
// for those who wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/shared_object.hpp>
#include <multiprocessing/detail/windows/thread_life.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

// The word is 0, or the life of the thread that holds the mutex (thread_life.hpp), plus one if the
// heir sleeps. Taking and letting go of a mutex that nobody waits for is one atomic operation each
// and no system call.
//
// Those who find it taken line up for a kernel mutex, the door. The one that has the door is the
// heir: it alone sleeps on the word, until the event is set or the holder's life ends. So
// - a holder that dies, at whatever instruction, ends the heir's sleep: the word still names the
//   dead, and the heir takes it over by compare-and-swap, as abandoned;
// - a holder that dies after it has let go and before it has set the event does so, too: the heir
//   finds the word 0;
// - an heir that dies lets go of the door, which the system hands to the next in line; that one
//   looks at the word itself, so nothing is lost with a wake-up the dead had got;
// - who dies in line is out of it.
class robust_mutex {
public:
    struct cell {
        std::atomic<std::uint64_t> holder;
        shared_name name;
    };

    robust_mutex() noexcept = default;
    explicit robust_mutex(cell& shared) : cell_(&shared), objects_(std::make_shared<objects>()) {}

    static std::error_code create(cell& shared) noexcept { return shared.name.settle(); }

    std::error_code lock(const deadline& until, bool& locked, bool& abandoned) noexcept {
        locked = false;
        abandoned = false;
        std::uint64_t me = 0;
        if (const auto ec = thread_life::mine(me))
            return ec;
        std::uint64_t holder = 0;
        locked = take(holder, me);
        if (locked)
            return {};
        if ((holder & ~heir_sleeps) == me)
            return std::make_error_code(std::errc::resource_deadlock_would_occur);
        return until.immediate() ? take_from_dead(holder, me, locked, abandoned)
                                 : line_up(me, until, locked, abandoned);
    }

    void unlock() noexcept {
        // Release pairs with the acquire in take(): the next holder sees what this one did.
        if ((cell_->holder.exchange(0, std::memory_order_release) & heir_sleeps) != 0)
            objects_->event.wake(cell_->name);
    }

private:
    static constexpr std::uint64_t heir_sleeps = 1;

    struct objects {
        shared_object door;
        shared_object event;
    };

    /// Holds the door.
    class doorway {
    public:
        doorway() noexcept = default;
        doorway(const doorway&) = delete;
        doorway& operator=(const doorway&) = delete;
        ~doorway() {
            if (open_)
                api::ReleaseMutex(to_system(door_));  // This thread owns it.
        }
        /// That its last owner died does not matter: the word tells everything.
        std::error_code enter(native_handle door, const deadline& until) noexcept {
            door_ = door;
            return wait_for(door, until, open_);
        }
        bool open() const noexcept { return open_; }

    private:
        native_handle door_ = no_handle;
        bool open_ = false;
    };

    bool take(std::uint64_t& expected, std::uint64_t me) noexcept {
        return cell_->holder.compare_exchange_strong(expected, me, std::memory_order_acquire);
    }

    /// Without waiting: what a dead holder has is there to be taken.
    std::error_code take_from_dead(std::uint64_t holder, std::uint64_t me, bool& locked,
                                   bool& abandoned) noexcept {
        watched_life life;
        bool lives = true;
        if (const auto ec = life.open(holder & ~heir_sleeps, lives))
            return ec;
        if (lives) {
            bool ended = false;
            if (const auto ec = wait_for(life.native(), deadline::now(), ended))
                return ec;
            lives = !ended;
            if (ended)
                life.let_go();
        }
        locked = abandoned = !lives && take(holder, me);
        return {};
    }

    std::error_code line_up(std::uint64_t me, const deadline& until, bool& locked,
                            bool& abandoned) noexcept {
        native_handle door = no_handle;
        native_handle event = no_handle;
        if (const auto ec = objects_->door.mutex(cell_->name, door))
            return ec;
        if (const auto ec = objects_->event.event(cell_->name, event))
            return ec;
        doorway here;
        auto ec = here.enter(door, until);
        bool in_time = here.open();
        while (!ec && in_time && !locked) {
            std::uint64_t holder = 0;
            locked = take(holder, me);
            if (!locked)
                ec = sleep_as_heir(event, holder, me, until, in_time, abandoned);
            locked = locked || abandoned;
        }
        return ec;
    }

    /// Returns when the mutex may be free, time has passed, or the holder is dead: then the mutex
    /// has been taken, as abandoned.
    std::error_code sleep_as_heir(native_handle event, std::uint64_t holder, std::uint64_t me,
                                  const deadline& until, bool& in_time, bool& abandoned) noexcept {
        const std::uint64_t marked = holder | heir_sleeps;
        // Relaxed: it only asks for the event; holder and heir change the same word, so either the
        // holder sees the mark as it lets go, or this fails.
        if (holder != marked &&
            !cell_->holder.compare_exchange_strong(holder, marked, std::memory_order_relaxed))
            return {};
        watched_life life;
        bool lives = true;
        if (const auto ec = life.open(marked & ~heir_sleeps, lives))
            return ec;
        if (lives) {
            const api::handle_value signals[] = {to_system(event), to_system(life.native())};
            const api::dword result = wait_until(until, [&](api::dword limit) {
                return api::WaitForMultipleObjects(2, signals, 0, limit);
            });
            if (result == api::wait_failed)
                return last_error();
            in_time = result != api::wait_timed_out;
            lives = !in_time || result % api::wait_abandoned == 0;
            if (!lives)
                life.let_go();
        }
        std::uint64_t of_the_dead = marked;
        abandoned = !lives && take(of_the_dead, me);
        return {};
    }

    cell* cell_ = nullptr;
    std::shared_ptr<objects> objects_;
};

}  // namespace multiprocessing::detail::windows
