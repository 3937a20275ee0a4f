// SPDX-License-Identifier: MIT
// Small files in which the kernel tells what it knows.
#pragma once

#include <cstddef>
#include <string>

#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>

#include <fcntl.h>

namespace multiprocessing::detail::posix {

/// A small file of /proc or /sys, whole; empty where it cannot be read.
inline std::string read_text(const std::string& path) {
    const handle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::size_t count = file ? 1 : 0;
    while (count > 0) {
        std::byte buffer[4096];
        if (read_some(file.get(), buffer, count))
            return {};
        text.append(reinterpret_cast<const char*>(buffer), count);
    }
    return text;
}

}  // namespace multiprocessing::detail::posix
