// SPDX-License-Identifier: MIT
// Windows backend of detail/os/pipe.hpp: named pipes, because anonymous ones know no overlapped
// operations, under names that nobody can guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/overlapped.hpp>
#include <multiprocessing/detail/windows/random.hpp>
#include <multiprocessing/detail/windows/text.hpp>

namespace multiprocessing::detail::windows {

struct pipe_ends {
    handle reader;
    handle writer;
};

// The reading end makes the pipe, for one client and local ones only; the writing end is that
// client. Nobody else can be: the name is random, is used once and within this function, and a
// client that came first would keep ours out, which is an error.
inline std::error_code open_pipe_with(api::dword reader_flags, api::dword writer_flags,
                                      pipe_ends& ends) {
    constexpr api::dword inbound = 1;
    constexpr api::dword first_instance = 0x80000;
    constexpr api::dword reject_remote_clients = 8;
    constexpr api::dword buffer_bytes = 64 * 1024;
    // As the ends of anonymous pipes: some runtime libraries ask how much room there is.
    constexpr api::dword write_and_read_attributes = 0x40000080;
    constexpr api::dword open_existing = 3;
    std::uint64_t secret[2];
    if (const auto ec = random_bytes(secret, sizeof secret))
        return ec;
    const object_name name(L"\\\\.\\pipe\\multiprocessing-", secret[0], secret[1]);
    if (const auto ec =
            take_over(api::CreateNamedPipeW(name.text, inbound | first_instance | reader_flags,
                                            reject_remote_clients, 1, 0, buffer_bytes, 0, nullptr),
                      ends.reader))
        return ec;
    return take_over(api::CreateFileW(name.text, write_and_read_attributes, 0, nullptr,
                                      open_existing, writer_flags, nullptr),
                     ends.writer);
}

inline constexpr api::dword overlapped_flag = 0x40000000;

inline std::error_code open_pipe(pipe_ends& ends) {
    return open_pipe_with(overlapped_flag, overlapped_flag, ends);
}

/// The end of an ordinary program is one that its runtime library can use.
inline std::error_code open_program_pipe(pipe_ends& ends, bool program_reads) {
    return open_pipe_with(program_reads ? 0 : overlapped_flag, program_reads ? overlapped_flag : 0,
                          ends);
}

inline std::error_code open_null(handle& both_ways) noexcept {
    constexpr api::dword read_and_write = 0xC0000000;
    constexpr api::dword share = 3;
    constexpr api::dword open_existing = 3;
    return take_over(
        api::CreateFileW(L"NUL", read_and_write, share, nullptr, open_existing, 0, nullptr),
        both_ways);
}

inline std::error_code create_file(const std::string& path, handle& file) {
    constexpr api::dword write = 0x40000000;
    constexpr api::dword share = 3;
    constexpr api::dword create_always = 2;
    std::wstring wide;
    if (const auto ec = to_wide(path, wide))
        return ec;
    return take_over(
        api::CreateFileW(wide.c_str(), write, share, nullptr, create_always, 0, nullptr), file);
}

/// Windows takes the size of a pipe when it is made, and as a hint: there is nothing to set.
inline std::error_code set_pipe_capacity(native_handle, std::size_t) noexcept {
    return {};
}
inline std::error_code widen_pipe(native_handle, std::size_t) noexcept {
    return {};
}

/// A writer may write nothing, which ends a read without anything, too.
inline std::error_code read_some(native_handle from, std::span<std::byte> into,
                                 std::size_t& count) noexcept {
    count = 0;
    operation reading;
    while (count == 0 && !into.empty()) {
        auto ec = reading.read(from, into);
        if (!ec)
            ec = reading.finish(count);
        if (ec == std::errc::broken_pipe)
            return {};
        if (ec)
            return ec;
    }
    return {};
}

inline std::error_code write_all(native_handle to, std::span<const std::byte> head,
                                 std::span<const std::byte> body = {}) noexcept {
    operation writing;
    for (std::span<const std::byte> piece : {head, body}) {
        while (!piece.empty()) {
            std::size_t count = 0;
            auto ec = writing.write(to, piece);
            if (!ec)
                ec = writing.finish(count);
            if (ec)
                return ec;
            piece = piece.subspan(count);
        }
    }
    return {};
}

}  // namespace multiprocessing::detail::windows
