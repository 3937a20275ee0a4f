// SPDX-License-Identifier: MIT
// SUPPORT_SANITIZED is there where a sanitizer watches addresses or threads.
#pragma once

#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_THREAD_SANITIZER) || defined(__SANITIZE_ADDRESS__)
#define SUPPORT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SUPPORT_SANITIZED 1
#endif
#endif

namespace support {

#if defined(SUPPORT_SANITIZED)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace support
