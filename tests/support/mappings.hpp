// SPDX-License-Identifier: MIT
// The memory that this process shares with others.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace support {

/// The library's blocks of shared memory that are mapped here, where each of them is.
std::vector<std::span<std::byte>> mapped_blocks();

}  // namespace support
