// SPDX-License-Identifier: MIT
// The matcher that both versions of Catch2 have, under two names.
#pragma once

#include <string>

#include "support/catch.hpp"

namespace support {

inline auto contains(const std::string& text) {
#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
    return Catch::Matchers::ContainsSubstring(text);
#else
    return Catch::Matchers::Contains(text);
#endif
}

}  // namespace support
