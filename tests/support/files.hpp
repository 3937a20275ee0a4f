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

/// What no handle is, ever.
multiprocessing::detail::native_handle never_opened();

/// Whether it goes to children that are started without a list of what they get; makes it so.
bool is_inherited(multiprocessing::detail::native_handle object);
void make_inherited(multiprocessing::detail::native_handle object);

/// This process has no standard streams for as long as it lives.
class closed_streams {
public:
    closed_streams();
    closed_streams(const closed_streams&) = delete;
    closed_streams& operator=(const closed_streams&) = delete;
    ~closed_streams();

private:
    int copies_[3];
};

}  // namespace support
