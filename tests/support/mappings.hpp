// SPDX-License-Identifier: MIT
// The memory that this process has, and shares with others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace support {

/// The library's blocks of shared memory that are mapped here, where each of them is.
std::vector<std::span<std::byte>> mapped_blocks();

/// The most memory that this process has had at once.
std::size_t peak_bytes();

}  // namespace support
