// SPDX-License-Identifier: MIT
// Standard output and error, flushed where a process splits or ends.
#pragma once

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <typeinfo>

#if defined(__has_include)
#if __has_include(<cxxabi.h>)
#include <cstdlib>
#include <cxxabi.h>
#define MULTIPROCESSING_HAS_DEMANGLE 1
#endif
#endif

namespace multiprocessing::detail {

/// Writes out what C's and C++'s standard output and error hold. Other files are left alone: a reader
/// may hold their lock for as long as it likes.
inline void flush_streams() noexcept {
    try {
        std::cout.flush();
        std::cerr.flush();
        std::clog.flush();
    } catch (...) {  // A stream set to throw, on output that cannot be written: not our failure.
    }
    std::fflush(stdout);
    std::fflush(stderr);
}

/// A type's name as it is written in source, where the compiler can tell.
inline std::string readable_name(const std::type_info& type) {
#if defined(MULTIPROCESSING_HAS_DEMANGLE)
    int status = 0;
    char* const text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    if (status == 0 && text != nullptr) {
        std::string name(text);
        std::free(text);
        return name;
    }
#endif
    return type.name();
}

}  // namespace multiprocessing::detail
