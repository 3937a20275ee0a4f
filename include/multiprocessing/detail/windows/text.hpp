// SPDX-License-Identifier: MIT
// UTF-8, as it is in the library's interface, to and from the UTF-16 of Windows.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>

namespace multiprocessing::detail::windows {

inline constexpr unsigned int utf8_code_page = 65001;

/// Fails with `illegal_byte_sequence` for what is no UTF-8.
inline std::error_code to_wide(std::string_view text, std::wstring& wide) {
    constexpr api::dword refuse_invalid = 8;
    const int bytes = static_cast<int>(text.size());
    if (static_cast<std::size_t>(bytes) != text.size())
        return std::make_error_code(std::errc::value_too_large);
    wide.clear();
    if (text.empty())
        return {};
    const int units =
        api::MultiByteToWideChar(utf8_code_page, refuse_invalid, text.data(), bytes, nullptr, 0);
    if (units == 0)
        return std::make_error_code(std::errc::illegal_byte_sequence);
    wide.resize(static_cast<std::size_t>(units));
    api::MultiByteToWideChar(utf8_code_page, refuse_invalid, text.data(), bytes, wide.data(),
                             units);
    return {};
}

/// A lone surrogate, which Windows allows in names, becomes U+FFFD.
inline std::string to_utf8(std::wstring_view wide) {
    if (wide.empty())
        return {};
    const int units = static_cast<int>(wide.size());
    const int bytes = api::WideCharToMultiByte(utf8_code_page, 0, wide.data(), units, nullptr, 0,
                                               nullptr, nullptr);
    std::string text(static_cast<std::size_t>(bytes), '\0');
    api::WideCharToMultiByte(utf8_code_page, 0, wide.data(), units, text.data(), bytes, nullptr,
                             nullptr);
    return text;
}

/// What a function of the system writes into a buffer, whose size it returns where that was too
/// small; empty where it fails.
template <class Write>
std::string text_from(Write write) {
    std::wstring buffer(260, L'\0');
    constexpr std::size_t most_units = 1 << 16;  // Twice what any such text may have.
    while (buffer.size() < most_units) {
        const auto units =
            static_cast<std::size_t>(write(buffer.data(), static_cast<unsigned>(buffer.size())));
        if (units < buffer.size())
            return to_utf8(std::wstring_view(buffer).substr(0, units));
        buffer.resize(units + 1);
    }
    return {};
}

}  // namespace multiprocessing::detail::windows
