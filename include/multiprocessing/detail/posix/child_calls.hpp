// SPDX-License-Identifier: MIT
// The system's functions that only the child of a fork calls, by their addresses.
#pragma once

#include <cstdio>
#include <cstdlib>

#include <multiprocessing/config.hpp>

#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

// Where binding is lazy, a function is looked for through all libraries when the program first
// calls it. What the parent never calls, each child looks for again: six functions of all children,
// a fifth of the time from start to join, and one of a pool's worker. An address, in contrast, is
// filled in when the program is loaded; a variable, since a constant's the compiler knows, and it
// calls the function itself again.
struct child_calls {
    int (*fcntl)(int, int, ...) = &::fcntl;
    long (*syscall)(long, ...) = &::syscall;
    int (*dup2)(int, int) = &::dup2;
    int (*setpgid)(::pid_t, ::pid_t) = &::setpgid;
    void (*purge)(std::FILE*) = &::__fpurge;
    void (*exit)(int) = &::_exit;
#if defined(MULTIPROCESSING_GLIBC)
    int (*on_exit)(void (*)(int, void*), void*) = &::on_exit;
#endif
};

inline child_calls in_child;

/// Ends the process at once, as `_exit` does.
[[noreturn]] inline void end_child(int status) noexcept {
    in_child.exit(status);
    for (;;) {
    }
}

}  // namespace multiprocessing::detail::posix
