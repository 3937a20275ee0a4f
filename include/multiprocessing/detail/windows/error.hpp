// SPDX-License-Identifier: MIT
// What every part of the Windows backend needs to make a system call: the last error as a value.
#pragma once

#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>

namespace multiprocessing::detail::windows {

/// The system's number, but for errors that the seams promise to tell under the names that they
/// have on every system: standard libraries differ in what they take these numbers for.
inline std::error_code error_of(api::dword number) noexcept {
    switch (number) {
    case api::error_invalid_handle:
        return std::make_error_code(std::errc::bad_file_descriptor);
    case api::error_broken_pipe:
    case api::error_no_data:
    case api::error_pipe_not_connected:
        return std::make_error_code(std::errc::broken_pipe);
    case api::error_bad_exe_format:
        return std::make_error_code(std::errc::executable_format_error);
    case api::error_commitment_limit:
        return std::make_error_code(std::errc::not_enough_memory);
    default:
        return {static_cast<int>(number), std::system_category()};
    }
}

inline std::error_code last_error() noexcept {
    return error_of(api::GetLastError());
}

/// What a call that returns whether it succeeded has come to.
inline std::error_code error_unless(int succeeded) noexcept {
    return succeeded != 0 ? std::error_code() : last_error();
}

}  // namespace multiprocessing::detail::windows
