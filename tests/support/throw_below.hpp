// SPDX-License-Identifier: MIT
// Throws some calls deep, and the stack that is told of it.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <multiprocessing/detail/os/throw_stack.hpp>

#include "support/catch.hpp"

namespace support {

using stack_texts = std::vector<std::string>;

/// Through a pointer that may change at any time: optimizers make a loop of what they see through.
inline int throw_below(int depth);
inline int (*volatile throw_further)(int) = throw_below;

inline int throw_below(int depth) {
    if (depth == 0)
        throw std::runtime_error("deep");
    return throw_further(depth - 1) + depth;
}

template <class Call>
stack_texts stack_of(Call call) {
    try {
        multiprocessing::detail::watch_throws(call);
    } catch (...) {
        return multiprocessing::detail::stack_of_throw();
    }
    FAIL("nothing was thrown");
    return {};
}

}  // namespace support
