// SPDX-License-Identifier: MIT
// The part of Python's os module that multiprocessing's users need: thin and exact.
#pragma once

#include <string>

#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/fork.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::os {

/// The number of this process. Python: `os.getpid`.
inline int getpid() noexcept {
    return detail::process_id();
}

/// The number of the process that started this one; 1, or that of another guardian, once it is
/// gone. On Windows the number of the starter also when it is gone. Python: `os.getppid`.
inline int getppid() noexcept {
    return detail::parent_process_id();
}

/// What a wait found.
struct wait_result {
    /// The child; 0 if none has changed and the wait was asked not to block.
    int pid = 0;
    /// What the system says of it; `waitstatus_to_exitcode` reads it.
    int status = 0;
};

/// Waits for the child `pid` (-1: any, 0 and below -1: of a process group) with the system's
/// `options`, such as WNOHANG. It also takes children of `Process` and `Popen` away from them:
/// their exit code is then unknown. Throws `std::system_error`, with ECHILD where there is no such
/// child. POSIX only. Python: `os.waitpid`.
inline wait_result waitpid(int pid, int options = 0) {
    wait_result result;
    detail::throw_if_error(detail::wait_process(pid, options, result.pid, result.status),
                           "wait for process " + std::to_string(pid));
    return result;
}

/// Waits for any child. Python: `os.wait`.
inline wait_result wait() {
    return waitpid(-1);
}

/// The exit status, or minus the signal that ended the process. Throws `ValueError` where it did
/// not end (stopped or continued). Python: `os.waitstatus_to_exitcode`.
inline int waitstatus_to_exitcode(int status) {
    int code = 0;
    if (!detail::exit_code_of(status, code))
        throw ValueError("wait status " + std::to_string(status) +
                         " is of a process that has not ended");
    return code;
}

/// Sends a signal (on POSIX 0 only asks whether one could; on Windows 0 and 1 are the events of a
/// console, and any other number ends the process with that exit code). Throws `std::system_error`
/// with ESRCH where there is no such process, EPERM where it is not ours. Python: `os.kill`.
inline void kill(int pid, int signal) {
    detail::throw_if_error(detail::kill_process(pid, signal),
                           "send signal " + std::to_string(signal) + " to process " +
                               std::to_string(pid));
}

/// Ends this process at once: no exit handlers, no destructors, nothing flushed. For a child after
/// `fork`. Python: `os._exit`.
[[noreturn]] inline void _exit(int status) noexcept {
    detail::exit_now(status);
}

/// The processors of the machine; 0 if that cannot be known. Python: `os.cpu_count`.
inline int cpu_count() noexcept {
    return detail::machine_cpus();
}

/// The processors that this process can keep busy: those of its affinity mask, and no more than the
/// quota of its control group allows, rounded up; at least 1. Python: `os.process_cpu_count`, which
/// does not know about quotas.
inline int process_cpu_count() {
    int cpus = detail::affinity_cpus();
    if (cpus <= 0)
        cpus = detail::machine_cpus();
    if (const double quota = detail::quota_cpus(); quota > 0 && quota < cpus) {
        cpus = static_cast<int>(quota);
        cpus += quota > cpus ? 1 : 0;
    }
    return cpus > 0 ? cpus : 1;
}

}  // namespace multiprocessing::os
