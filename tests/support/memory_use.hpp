// SPDX-License-Identifier: MIT
// How much memory the system keeps for a shared block.
#pragma once

#include <cstdint>

#include <multiprocessing/detail/os/memory.hpp>

#if defined(MULTIPROCESSING_POSIX)
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
