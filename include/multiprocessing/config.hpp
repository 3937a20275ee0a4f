// SPDX-License-Identifier: MIT
// What the compiler and the system are: the only place, with detail/os, that asks.
#pragma once

#include <cstddef>

#define MULTIPROCESSING_VERSION_MAJOR 0
#define MULTIPROCESSING_VERSION_MINOR 1
#define MULTIPROCESSING_VERSION_PATCH 0

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "multiprocessing needs C++20: compile with -std=c++20 or /std:c++20"
#endif

#if defined(_WIN32)
#define MULTIPROCESSING_WINDOWS 1
#elif defined(__linux__)
#define MULTIPROCESSING_POSIX 1
#else
#error "multiprocessing runs on Linux and Windows; this system has no backend in detail/"
#endif

#if defined(__GNUC__)
#define MULTIPROCESSING_NOINLINE __attribute__((noinline))
#define MULTIPROCESSING_INLINE inline __attribute__((always_inline))
#define MULTIPROCESSING_USED __attribute__((used))
#elif defined(_MSC_VER)
#define MULTIPROCESSING_NOINLINE __declspec(noinline)
#define MULTIPROCESSING_INLINE __forceinline
#define MULTIPROCESSING_USED
#else
#define MULTIPROCESSING_NOINLINE
#define MULTIPROCESSING_INLINE inline
#define MULTIPROCESSING_USED
#endif

// The C library, which any of its headers makes known: some of its own calls have no twin elsewhere.
#if defined(__GLIBC__)
#define MULTIPROCESSING_GLIBC 1
#endif

// GNU's standard library, whichever compiler is used with it.
#if defined(__GLIBCXX__)
#define MULTIPROCESSING_LIBSTDCXX 1
#endif

// Tells the processor that this is a loop that waits.
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define MULTIPROCESSING_PAUSE() __builtin_ia32_pause()
#elif defined(__GNUC__) && (defined(__aarch64__) || defined(__arm__))
#define MULTIPROCESSING_PAUSE() __asm__ __volatile__("yield")
#elif defined(_MSC_VER) && (defined(_M_IX86) || defined(_M_X64))
extern "C" void _mm_pause(void);
#define MULTIPROCESSING_PAUSE() _mm_pause()
#elif defined(_MSC_VER) && (defined(_M_ARM) || defined(_M_ARM64))
extern "C" void __yield(void);
#define MULTIPROCESSING_PAUSE() __yield()
#else
#define MULTIPROCESSING_PAUSE() ((void)0)
#endif

#if defined(__SANITIZE_THREAD__)
#define MULTIPROCESSING_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MULTIPROCESSING_THREAD_SANITIZER 1
#endif
#endif

// Also without the notes of calls and returns, which Clang's no_sanitize leaves in.
#if defined(MULTIPROCESSING_THREAD_SANITIZER) && defined(__clang__)
#define MULTIPROCESSING_NO_THREAD_SANITIZER __attribute__((disable_sanitizer_instrumentation))
#elif defined(MULTIPROCESSING_THREAD_SANITIZER)
#define MULTIPROCESSING_NO_THREAD_SANITIZER __attribute__((no_sanitize("thread")))
#else
#define MULTIPROCESSING_NO_THREAD_SANITIZER
#endif

// The signature of the function it stands in, template arguments spelled out.
#if defined(_MSC_VER) && !defined(__clang__)
#define MULTIPROCESSING_FUNCTION_SIGNATURE __FUNCSIG__
#else
#define MULTIPROCESSING_FUNCTION_SIGNATURE __PRETTY_FUNCTION__
#endif
