// SPDX-License-Identifier: MIT
// Random bytes from the system, and names that nobody can guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>

namespace multiprocessing::detail::windows {

/// By the function behind RtlGenRandom, which needs no library of its own to be linked.
inline std::error_code random_bytes(void* data, std::size_t bytes) noexcept {
    using generate = unsigned char __stdcall(void*, unsigned long);
    static generate* const make = [] {
        api::LoadLibraryW(L"advapi32.dll");
        return api::find_function<generate>(L"advapi32.dll", "SystemFunction036");
    }();
    auto* at = static_cast<unsigned char*>(data);
    while (bytes > 0) {
        const auto part = static_cast<unsigned long>(bytes < 1U << 20 ? bytes : 1U << 20);
        if (make == nullptr || make(at, part) == 0)
            return std::make_error_code(std::errc::function_not_supported);
        at += part;
        bytes -= part;
    }
    return {};
}

/// A name for a kernel object, built without allocating.
struct object_name {
    static constexpr std::size_t most_prefix = 40;
    wchar_t text[most_prefix + 32 + 1]{};

    /// `prefix` and 16 digits for each number.
    object_name(const wchar_t* prefix, std::uint64_t first, std::uint64_t second) noexcept {
        wchar_t* at = text;
        for (std::size_t i = 0; i < most_prefix && prefix[i] != L'\0'; ++i)
            *at++ = prefix[i];
        for (const std::uint64_t number : {first, second})
            for (int shift = 60; shift >= 0; shift -= 4)
                *at++ = L"0123456789abcdef"[number >> shift & 15U];
    }
};

}  // namespace multiprocessing::detail::windows
