// SPDX-License-Identifier: MIT
// How often a test repeats what it does.
#pragma once

#include <multiprocessing/config.hpp>

namespace support {

/// A sanitizer sees a race or a wrong address the first time that it could happen, notes every access,
/// and makes each start of a program many times as long.
#if defined(MULTIPROCESSING_THREAD_SANITIZER) || defined(__SANITIZE_ADDRESS__)
inline constexpr int part_of_rounds = 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr int part_of_rounds = 10;
#else
inline constexpr int part_of_rounds = 1;
#endif
#else
inline constexpr int part_of_rounds = 1;
#endif

/// As often as that; a tenth under a sanitizer; on Windows a twentieth. There a lock between
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
