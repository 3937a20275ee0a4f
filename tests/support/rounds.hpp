// SPDX-License-Identifier: MIT
// How often a test repeats what it does.
#pragma once

#include <multiprocessing/config.hpp>

#include "support/sanitized.hpp"

namespace support {

/// A sanitizer sees a race or a wrong address the first time that it could happen; it notes every
/// access, and makes each start of a program many times as long.
inline constexpr int part_of_rounds = sanitized ? 10 : 1;

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
