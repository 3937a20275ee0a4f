// SPDX-License-Identifier: MIT
// How often a test repeats what it does.
#pragma once

#include <multiprocessing/config.hpp>

namespace support {

/// The thread sanitizer sees a race the first time that it could happen, and notes every access.
#if defined(MULTIPROCESSING_THREAD_SANITIZER)
inline constexpr int part_of_rounds = 10;
#else
inline constexpr int part_of_rounds = 1;
#endif

/// As often as that; a tenth under that sanitizer; on Windows a twentieth. There a lock between
/// processes is an object of the kernel, and under Wine a call to the kernel is a message to another
/// process.
constexpr int rounds(int number) {
#if defined(MULTIPROCESSING_WINDOWS)
    return number / 20;
#else
    return number / part_of_rounds;
#endif
}

}  // namespace support
