// SPDX-License-Identifier: MIT
// What every POSIX backend needs to make a system call: errno as a value, and the retry after
// EINTR.
#pragma once

#include <cerrno>
#include <system_error>

namespace multiprocessing::detail::posix {

inline std::error_code last_error() noexcept {
    return {errno, std::system_category()};
}

/// Makes the call again for as long as a signal handler interrupts it.
template <class Call>
auto retry(Call call) noexcept {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR)
            return result;
    }
}

}  // namespace multiprocessing::detail::posix
