// SPDX-License-Identifier: MIT
// Standard output and error, flushed where a process splits or ends.
#pragma once

#include <cstdio>
#include <iostream>

namespace multiprocessing::detail {

/// Writes out what C's and C++'s standard output and error hold. Other files are left alone: a
/// reader may hold their lock for as long as it likes.
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

}  // namespace multiprocessing::detail
