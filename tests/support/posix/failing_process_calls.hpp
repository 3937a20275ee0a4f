// SPDX-License-Identifier: MIT
// The calls that start a process, made to fail; see failing_calls.hpp.
#pragma once

#include "support/posix/failing_calls.hpp"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace support {

inline failing_call fork_call;
inline failing_call memfd_create_call;
inline failing_call pidfd_open_call;
inline failing_call epoll_ctl_call;

}  // namespace support

extern "C" {

::pid_t fork() noexcept {
    static const auto real = support::next_definition<::pid_t()>("fork");
    return support::fork_call.fails() ? -1 : real();
}

int memfd_create(const char* name, unsigned flags) noexcept {
    static const auto real = support::next_definition<int(const char*, unsigned)>("memfd_create");
    return support::memfd_create_call.fails() ? -1 : real(name, flags);
}

int epoll_ctl(int set, int operation, int object, ::epoll_event* event) noexcept {
    static const auto real = support::next_definition<int(int, int, int, ::epoll_event*)>(
        "epoll_ctl");
    return support::epoll_ctl_call.fails() ? -1 : real(set, operation, object, event);
}

// Also called between clone and exec, after its first call here: pidfd_open has no function before
// glibc 2.36.
long syscall(long number, ...) noexcept {
    static const auto real = support::next_definition<long(long, ...)>("syscall");
    std::va_list rest;
    va_start(rest, number);
    long a[6];
    for (long& argument : a)
        argument = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_pidfd_open && support::pidfd_open_call.fails())
        return -1;
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

}  // extern "C"
