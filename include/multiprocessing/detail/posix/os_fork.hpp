// SPDX-License-Identifier: MIT
// POSIX's part of the os namespace: fork.
#pragma once

#include <multiprocessing/detail/posix/system.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::os {

/// Splits this process in two: returns 0 in the child, the child's number in the parent. Output
/// that is still in a buffer comes from both; flush before, or use `Process`, which does. In a
/// program with several threads only the caller goes on in the child, and locks that the others
/// held stay locked. Throws `std::system_error` when the system has no room for a process. POSIX
/// only. Python: `os.fork`.
inline int fork() {
    int pid = 0;
    detail::throw_if_error(detail::posix::fork_process(pid), "fork");
    return pid;
}

}  // namespace multiprocessing::os
