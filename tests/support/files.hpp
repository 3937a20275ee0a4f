// SPDX-License-Identifier: MIT
// Files that every system has, by its own names, and what is asked of open ones.
#pragma once

#include <multiprocessing/detail/os/handle.hpp>

namespace support {

#if defined(MULTIPROCESSING_POSIX)
inline constexpr const char* null_device = "/dev/null";
#else
inline constexpr const char* null_device = "NUL";
#endif

/// A handle of an object of the system's that nobody else has: the null device.
multiprocessing::detail::handle open_something();

/// Whether there is such a handle in this process.
bool is_open(multiprocessing::detail::native_handle object);

/// A handle that does not exist.
multiprocessing::detail::native_handle never_opened();

/// Whether a child that is given no list of handles would have it.
bool is_inherited(multiprocessing::detail::native_handle object);

}  // namespace support
