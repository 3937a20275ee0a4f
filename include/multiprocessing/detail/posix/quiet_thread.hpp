// SPDX-License-Identifier: MIT
// A thread of the library's own, which must not take the signals that the program waits for.
#pragma once

#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include <pthread.h>

namespace multiprocessing::detail::posix {

/// The signals that were blocked where this thread was started, if it is a quiet one.
inline std::optional<::sigset_t>& mask_before_quiet() noexcept {
    thread_local std::optional<::sigset_t> mask;
    return mask;
}

/// In a fork: what a quiet thread blocks is not meant for its children.
inline void end_quiet() noexcept {
    if (const auto& mask = mask_before_quiet())
        ::pthread_sigmask(SIG_SETMASK, &*mask, nullptr);
}

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
    return std::thread([body = std::move(body), mask = guard.before]() mutable {
        mask_before_quiet() = mask;
        body();
    });
}

}  // namespace multiprocessing::detail::posix
