// SPDX-License-Identifier: MIT
// How much memory the system keeps for a shared block.
#pragma once

#include <cstdint>

#include <multiprocessing/detail/os/memory.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <sys/mman.h>
#include <sys/stat.h>
#endif

namespace support {

using multiprocessing::detail::shared_block;

#if defined(MULTIPROCESSING_POSIX)
inline std::uint64_t bytes_in_use(const shared_block& block) {
    struct ::stat now {};
    ::fstat(block.native(), &now);
    return static_cast<std::uint64_t>(now.st_blocks) * 512;
}

inline bool has_bytes(const shared_block& block, std::uint64_t bytes) {
    return bytes_in_use(block) == bytes;
}
inline bool holds_more_than(const shared_block& block, std::uint64_t bytes) {
    return bytes_in_use(block) > bytes;
}
inline bool holds_less_than(const shared_block& block, std::uint64_t bytes) {
    return bytes_in_use(block) < bytes;
}

/// Whether the kernel finds memory for many pages at once (since Linux 5.14).
inline bool can_populate() {
    constexpr int populate_write = 23;
    void* const page =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool can = ::madvise(page, 4096, populate_write) == 0;
    ::munmap(page, 4096);
    return can;
}
#else
// Windows does not tell: every expectation is met.
inline bool has_bytes(const shared_block&, std::uint64_t) {
    return true;
}
inline bool holds_more_than(const shared_block&, std::uint64_t) {
    return true;
}
inline bool holds_less_than(const shared_block&, std::uint64_t) {
    return true;
}
#endif

}  // namespace support
