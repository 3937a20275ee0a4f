// SPDX-License-Identifier: MIT
// How often a test repeats what it does.
#pragma once

#include <multiprocessing/config.hpp>

namespace support {

/// As often as that; on Windows a twentieth. There a lock between processes is an object of the
/// kernel, and under Wine a call to the kernel is a message to another process.
constexpr int rounds(int number) {
#if defined(MULTIPROCESSING_WINDOWS)
    return number / 20;
#else
    return number;
#endif
}

}  // namespace support
