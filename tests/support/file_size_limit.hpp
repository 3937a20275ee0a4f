// SPDX-License-Identifier: MIT
// How large a file, shared memory included, this process may make for a while.
#pragma once

#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_POSIX)  // Windows has no limits that a process sets itself.
#include <cstdint>

#include "support/catch.hpp"

#include <sys/resource.h>

namespace support {

class file_size_limit {
public:
    explicit file_size_limit(std::uint64_t bytes) {
        REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
        const ::rlimit limit{bytes, before_.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;
    ~file_size_limit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    ::rlimit before_{};
};

}  // namespace support
#endif
