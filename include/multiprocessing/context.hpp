// SPDX-License-Identifier: MIT
// The start method that is used where none is named.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing {

/// The start methods that exist here, the default first: "fork" and "spawn" on POSIX, "spawn" on
/// Windows. Python: `multiprocessing.get_all_start_methods`.
inline std::vector<std::string> get_all_start_methods() {
    return detail::all_start_methods();
}

/// Chooses the start method of everything that names none, once, best at the beginning of main. The
/// first process that is made, or `get_start_method`, chooses the default for good. With `force` it
/// may be changed, also to `std::nullopt`: not chosen yet. Children inherit it. Thread-safe.
/// Throws `ProcessError` where it was chosen before, `ValueError` where there is no such method.
/// Python: `multiprocessing.set_start_method`, which throws `RuntimeError`.
inline void set_start_method(std::optional<std::string_view> method, bool force = false) {
    using detail::start_method;
    start_method chosen = start_method::none;
    if (method)
        chosen = detail::start_method_named(*method);
    else if (!force)
        chosen = detail::default_start_method;
    start_method before = start_method::none;
    if (force)
        detail::chosen_start_method() = chosen;
    else if (!detail::chosen_start_method().compare_exchange_strong(before, chosen))
        throw ProcessError("context has already been set");
}

/// The start method of everything that names none; the question makes it final.
/// Python: `multiprocessing.get_start_method`.
inline std::string get_start_method() {
    return detail::name_of(detail::start_method_for(""));
}

/// The same, but where `allow_none` is true and nothing was chosen it is empty and stays open.
inline std::optional<std::string> get_start_method(bool allow_none) {
    if (allow_none && detail::chosen_start_method() == detail::start_method::none)
        return std::nullopt;
    return get_start_method();
}

}  // namespace multiprocessing
