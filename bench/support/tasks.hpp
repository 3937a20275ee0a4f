// SPDX-License-Identifier: MIT
// The tasks that processes and pools are given where what matters is how they are given them.
#pragma once

#include <cstddef>
#include <numeric>
#include <vector>

namespace bench {

inline void nothing() {}

inline int identity(int x) {
    return x;
}

/// 0, 1, ... as many as asked for.
inline std::vector<int> numbers(std::size_t count) {
    std::vector<int> xs(count);
    std::iota(xs.begin(), xs.end(), 0);
    return xs;
}

}  // namespace bench
