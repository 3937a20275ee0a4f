// SPDX-License-Identifier: MIT
// How a child process comes to be.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

enum class start_method : int { none, fork, spawn };

inline constexpr bool has_fork = child_process::can_fork;

/// The methods of this system, the default first.
inline std::vector<std::string> all_start_methods() {
    return has_fork ? std::vector<std::string>{"fork", "spawn"} : std::vector<std::string>{"spawn"};
}

inline std::string name_of(start_method method) {
    return method == start_method::fork ? "fork" : "spawn";
}

inline start_method start_method_named(std::string_view name) {
    if (name == "fork" && has_fork)
        return start_method::fork;
    if (name == "spawn")
        return start_method::spawn;
    throw ValueError("there is no start method '" + std::string(name) + "' on this system, only " +
                     (has_fork ? "'fork' and 'spawn'" : "'spawn'"));
}

inline constexpr start_method default_start_method =
    has_fork ? start_method::fork : start_method::spawn;

/// What set_start_method() chose; none until then.
inline std::atomic<start_method>& chosen_start_method() noexcept {
    static std::atomic<start_method> method{start_method::none};
    return method;
}

/// The method of an option that may have been left empty. The first use settles the default.
inline start_method start_method_for(std::string_view option) {
    if (!option.empty())
        return start_method_named(option);
    start_method chosen = start_method::none;
    const bool first = chosen_start_method().compare_exchange_strong(chosen, default_start_method);
    return first ? default_start_method : chosen;
}

}  // namespace multiprocessing::detail
