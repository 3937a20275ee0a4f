// SPDX-License-Identifier: MIT
// System calls that fail when a test says so. The functions below take the place of the C library's
// in the program that includes this, from one source file only, and forward to them otherwise.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdarg>

#include <multiprocessing/config.hpp>

#include <dlfcn.h>
#include <sched.h>
#include <sys/types.h>

namespace support {

/// One function of the system.
struct failing_call {
    int calls_until_failure = 0;  // 0: never
    int error = 0;  // 0: this process is killed instead

    /// Counts one call; whether it is the one to fail, with errno set.
    bool fails() noexcept {
        if (calls_until_failure == 0 || --calls_until_failure > 0)
            return false;
        if (error == 0)
            ::raise(SIGKILL);
        errno = error;
        return true;
    }
};

inline failing_call pipe2_call;
inline failing_call clone_call;

/// Kills this process at the `nth` call from now, before that does anything.
inline void die_at(failing_call& call, int nth) {
    call = {nth, 0};
}

/// Lets the `nth` call from now fail with `error`; none after that, and none after its scope.
class failure {
public:
    failure(failing_call& call, int error, int nth = 1) : call_(call) { call_ = {nth, error}; }
    failure(const failure&) = delete;
    failure& operator=(const failure&) = delete;
    ~failure() { call_ = {}; }

private:
    failing_call& call_;
};

template <class Function>
Function* next_definition(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace support

#if defined(MULTIPROCESSING_THREAD_SANITIZER)
#define SUPPORT_CLONE __clone
#define SUPPORT_CLONE_NAME "__clone"
#else
#define SUPPORT_CLONE clone
#define SUPPORT_CLONE_NAME "clone"
#endif

extern "C" {

int pipe2(int* ends, int flags) noexcept {
    static const auto real = support::next_definition<int(int*, int)>("pipe2");
    return support::pipe2_call.fails() ? -1 : real(ends, flags);
}

// ThreadSanitizer's clone forks; the library then takes the one below it, and so must this.
int SUPPORT_CLONE(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept {
    static const auto real =
        support::next_definition<int(int (*)(void*), void*, int, void*, ...)>(SUPPORT_CLONE_NAME);
    std::va_list rest;
    va_start(rest, argument);
    ::pid_t* const parent_tid = va_arg(rest, ::pid_t*);
    va_end(rest);
    return support::clone_call.fails() ? -1 : real(run, stack, flags, argument, parent_tid);
}

}  // extern "C"
