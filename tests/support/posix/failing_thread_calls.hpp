// SPDX-License-Identifier: MIT
// Threads that cannot be started when a test says so; see failing_calls.hpp. A sanitizer has the
// function to itself: with one there is no SUPPORT_FAILING_THREADS.
#pragma once

#include "support/posix/failing_calls.hpp"
#include "support/sanitized.hpp"

#include <pthread.h>

#if !defined(SUPPORT_SANITIZED)
#define SUPPORT_FAILING_THREADS 1

namespace support {

inline failing_call thread_call;

}  // namespace support

extern "C" int pthread_create(::pthread_t* thread, const ::pthread_attr_t* attributes,
                              void* (*run)(void*), void* argument) noexcept {
    using function = int(::pthread_t*, const ::pthread_attr_t*, void* (*)(void*), void*);
    static const auto real = support::next_definition<function>("pthread_create");
    return support::thread_call.fails() ? support::thread_call.error
                                        : real(thread, attributes, run, argument);
}
#endif
