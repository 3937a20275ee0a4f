// SPDX-License-Identifier: MIT
// The signals that a thread of the library's own keeps from itself, and not from its children.
#pragma once

#include <csignal>
#include <optional>

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

}  // namespace multiprocessing::detail::posix
