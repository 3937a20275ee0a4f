// SPDX-License-Identifier: MIT
// What tests do to processes, by number, and ask about them.
#pragma once

#include <chrono>
#include <thread>

#include <multiprocessing/os.hpp>

namespace support {

// By name: <csignal> of Windows knows no SIGKILL.
inline constexpr int kill_signal = multiprocessing::detail::child_process::kill_signal;
inline constexpr int terminate_signal = multiprocessing::detail::child_process::terminate_signal;

/// Looks until `condition` holds; the test's watchdog ends it where it never does.
template <class Condition>
void await(Condition condition) {
    while (!condition())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Whether it has ended. One that nobody has waited for yet is gone, too.
bool is_gone(int pid);

/// Whether it has ended and somebody has waited for it, where processes are waited for.
bool is_reaped(int pid);

/// Stops a process where it is, and returns when it has stopped or ended; lets it go on, however
/// often it was stopped.
void stop_process(int pid);
void continue_process(int pid);

/// Stops the caller's process until another one continues it. Returns in that one when it has
/// stopped.
void stop_this_process();
void await_stopped(int pid);

/// Returns when the process sleeps in the kernel, as in a wait that has begun. Where the system
/// does not tell, it returns when that is likely.
void await_sleep(int pid);

/// Ends this process as a signal from another would; on Windows its number is an exit code.
[[noreturn]] inline void die_of(int signal) {
#if defined(MULTIPROCESSING_POSIX)
    multiprocessing::os::kill(multiprocessing::os::getpid(), signal);
#else
    multiprocessing::os::kill(multiprocessing::os::getpid(), -signal);
#endif
    multiprocessing::os::_exit(1);  // Not reached.
}

[[noreturn]] inline void run_for_ever() {
    for (;;)
        std::this_thread::sleep_for(std::chrono::hours(24));
}

}  // namespace support
