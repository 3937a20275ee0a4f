// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/robust_mutex.hpp: a robust process-shared pthread mutex.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

class robust_mutex {
public:
    using cell = ::pthread_mutex_t;

    robust_mutex() noexcept = default;
    explicit robust_mutex(cell& shared) noexcept : mutex_(&shared) {}

    static std::error_code create(cell& shared) noexcept {
        ::pthread_mutexattr_t attributes;
        ::pthread_mutexattr_init(&attributes);
        ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        ::pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
        const int error = ::pthread_mutex_init(&shared, &attributes);
        ::pthread_mutexattr_destroy(&attributes);
        return {error, std::system_category()};
    }

    std::error_code lock(const deadline& until, bool& locked, bool& abandoned) noexcept {
        const int error = acquire(until);
        abandoned = error == EOWNERDEAD;
        locked = error == 0 || abandoned;
        if (abandoned)
            ::pthread_mutex_consistent(mutex_);
        if (locked || error == ETIMEDOUT || error == EBUSY)
            return {};
        return {error, std::system_category()};
    }

    void unlock() noexcept {
        const bool wanted = has_sleepers();
        ::pthread_mutex_unlock(mutex_);
        if (wanted)
            wake_everyone();
    }

private:
    int acquire(const deadline& until) noexcept {
        if (const int error = ::pthread_mutex_trylock(mutex_); error != EBUSY || until.immediate())
            return error;
        for (;;) {
            const auto now = deadline::clock::now();
            const auto look_again = now + longest_sleep;
            const bool last = !until.is_never() && until.moment() <= look_again;
            const ::timespec moment = monotonic(last ? until.moment() : look_again);
            const int error = ::pthread_mutex_clocklock(mutex_, CLOCK_MONOTONIC, &moment);
            if (error != ETIMEDOUT || last)
                return error;
        }
    }

    static ::timespec monotonic(deadline::clock::time_point moment) noexcept {
        const auto since_boot = moment.time_since_epoch();
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
        const std::chrono::nanoseconds rest = since_boot - seconds;
        return {static_cast<std::time_t>(seconds.count()), static_cast<long>(rest.count())};
    }

    // A wake-up can be lost: glibc wakes one sleeper; if that one is killed before it has taken the
    // mutex or marked it as wanted, and another thread has taken it meanwhile, that one's unlock
    // wakes nobody. The kernel repairs this only for a mutex that is free. So everyone is woken;
    // and if the one who was to wake them is killed, too, nobody sleeps for ever without a look.
#if defined(MULTIPROCESSING_GLIBC)
    bool has_sleepers() const noexcept {
        return (std::atomic_ref(mutex_->__data.__lock).load(std::memory_order_relaxed) &
                static_cast<int>(FUTEX_WAITERS)) != 0;
    }
    void wake_everyone() noexcept {
        constexpr int everyone = 0x7fffffff;
        // Nothing to do on failure: none sleeps, or it looks again by itself.
        ::syscall(SYS_futex, &mutex_->__data.__lock, FUTEX_WAKE, everyone, nullptr, nullptr, 0);
    }
#else
    bool has_sleepers() const noexcept {
        return false;
    }
    void wake_everyone() noexcept {}
#endif
    static constexpr std::chrono::seconds longest_sleep{1};

    cell* mutex_ = nullptr;
};

}  // namespace multiprocessing::detail::posix
