// SPDX-License-Identifier: MIT
// Seam: mutual exclusion between processes that survives the death of whoever holds it.
#pragma once

#include <concepts>
#include <system_error>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/robust_mutex.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/robust_mutex.hpp>
#endif

namespace multiprocessing::detail {

/// A process' view of a mutex that lives in a `cell` of shared memory; `create(cell)` is called
/// once, by the process that made the memory. Held by a thread, not by a process; not recursive:
/// `resource_deadlock_would_occur` for the thread that holds it.
///
/// `lock(until, locked, abandoned)`: `abandoned` tells that the last holder died with it, at
/// whatever instruction: the caller holds it now and what it protects may be half-changed. A
/// sleeper is woken by the system when the holder dies.
using backend::robust_mutex;

template <class Mutex>
concept robust_mutex_contract = std::copyable<Mutex> &&
    requires(Mutex mutex, typename Mutex::cell& cell, const deadline& until, bool& locked,
             bool& abandoned) {
    Mutex(cell);
    { Mutex::create(cell) } -> std::same_as<std::error_code>;
    { mutex.lock(until, locked, abandoned) }
    noexcept->std::same_as<std::error_code>;
    { mutex.unlock() }
    noexcept;
};
static_assert(robust_mutex_contract<robust_mutex>);

}  // namespace multiprocessing::detail
