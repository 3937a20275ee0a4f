// SPDX-License-Identifier: MIT
// How a frame of a stack is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace multiprocessing::detail {

/// "module(function+0x12)", "module(+0x1234)" where the function has no known name, "0x1234" where
/// the module is not known either.
inline std::string frame_text(std::string_view module, std::string_view function,
                              std::uintptr_t offset) {
    char number[2 * sizeof offset + 3];
    std::snprintf(number, sizeof number, "0x%zx", static_cast<std::size_t>(offset));
    if (module.empty())
        return number;
    std::string text(module);
    text += '(';
    text += function;
    text += '+';
    text += number;
    text += ')';
    return text;
}

}  // namespace multiprocessing::detail
