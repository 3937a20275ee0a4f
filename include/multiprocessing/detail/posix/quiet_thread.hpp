// SPDX-License-Identifier: MIT
// A thread of the library's own, which must not take the signals that the program waits for.
#pragma once

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include <multiprocessing/detail/posix/quiet_mask.hpp>
#include <multiprocessing/error.hpp>

#include <pthread.h>

namespace multiprocessing::detail::posix {

/// Runs `body` in a thread that has every signal blocked from its first instruction on.
template <class Body>
std::thread start_quiet_thread(Body body) {
    class blocked {
    public:
        blocked() noexcept {
            ::sigset_t all;
            ::sigfillset(&all);
            ::pthread_sigmask(SIG_SETMASK, &all, &before);
        }
        blocked(const blocked&) = delete;
        blocked& operator=(const blocked&) = delete;
        ~blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
        ::sigset_t before;
    };
    const blocked guard;
    try {
        return std::thread([body = std::move(body), mask = guard.before]() mutable {
            mask_before_quiet() = mask;
            body();
        });
    } catch (const std::system_error& error) {
        throw_system_error(error.code(), "start a thread of a pool");
    }
}

}  // namespace multiprocessing::detail::posix
