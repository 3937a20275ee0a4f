// SPDX-License-Identifier: MIT
// The leftovers of support/leftovers.hpp: handles, and children that still run.
#pragma once

#include <cstddef>
#include <set>

#include "support/catch.hpp"

namespace support {

/// How many handles this process has open, of whatever kind.
std::size_t count_handles();

/// The children of this process that have not ended.
std::set<int> children();

/// Declared first in a test, so that it looks last.
class leftovers {
public:
    leftovers() = default;
    leftovers(const leftovers&) = delete;
    leftovers& operator=(const leftovers&) = delete;
    ~leftovers() {
        CHECK(count_handles() <= handles_ + kept_by_libraries);
        CHECK(children() == children_);
    }

private:
    /// The C and C++ libraries and the system's open some when they are used first, and keep them;
    /// so does the thread for exchanges of limited time. A test that repeats what it looks at sees
    /// more than these.
    static constexpr std::size_t kept_by_libraries = 12;

    std::size_t handles_ = count_handles();
    std::set<int> children_ = children();
};

}  // namespace support
