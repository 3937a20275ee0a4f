// SPDX-License-Identifier: MIT
// Whole messages over one end of a stream.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/framing.hpp>
#include <multiprocessing/detail/message_buffer.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

class frame_writer {
public:
    frame_writer() noexcept = default;
    explicit frame_writer(handle stream) noexcept : stream_(std::move(stream)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(stream_); }
    native_handle native() const noexcept { return stream_.get(); }
    void close() noexcept { stream_.reset(); }

    void send(std::span<const std::byte> payload) {
        const frame_header header(payload.size());
        const auto head = header.bytes();
        std::array<std::byte, 512> whole;
        if (payload.size() >= large_bytes && !widened_)
            widen();
        if (payload.size() > whole.size() - head.size())
            return write(head, payload);
        // One piece costs the system less than two, by more than the copy does.
        std::memcpy(whole.data(), head.data(), head.size());
        if (!payload.empty())
            std::memcpy(whole.data() + head.size(), payload.data(), payload.size());
        write(std::span(whole).first(head.size() + payload.size()), {});
    }

private:
    /// A pipe holds 64 KiB at first. A message beyond half of that may find too little room, and
    /// then crosses in turns: the writer sleeps, the reader takes some, and so on.
    void widen() noexcept {
        constexpr std::size_t wide_pipe_bytes = 256 * 1024;
        // Refused where the user's pipes hold much already: then it stays as it is.
        static_cast<void>(widen_pipe(stream_.get(), wide_pipe_bytes));
        widened_ = true;
    }

    void write(std::span<const std::byte> head, std::span<const std::byte> body) {
        throw_if_error(write_all(stream_.get(), head, body), "send to a connection");
    }

    static constexpr std::size_t large_bytes = 32 * 1024;

    handle stream_;
    bool widened_ = false;
};

class frame_reader {
public:
    frame_reader() noexcept = default;
    explicit frame_reader(handle stream) noexcept : stream_(std::move(stream)) {}

    explicit operator bool() const noexcept { return static_cast<bool>(stream_); }
    native_handle native() const noexcept { return stream_.get(); }
    void close() noexcept { stream_.reset(); }

    bool poll(const deadline& until) {
        bool ready = false;
        throw_if_error(wait_ready(stream_.get(), until, ready), "poll a connection");
        return ready;
    }

    /// The next message. Never reads beyond it: another process may read the stream, too.
    std::vector<std::byte> receive(std::optional<std::size_t> longest) {
        const std::uint64_t bytes = read_length();
        if (longest && bytes > *longest) {
            close();
            throw_system_error(std::make_error_code(std::errc::message_size),
                               "receive a message of " + std::to_string(bytes) +
                                   " bytes where at most " + std::to_string(*longest) +
                                   " are allowed; nothing more can be received");
        }
        return read_payload(bytes);
    }

    /// Shows the next message to `read`; returns what that returns.
    template <class Read>
    auto receive_with(Read read) {
        const std::uint64_t bytes = read_length();
        if (bytes > room_at_first)
            return read(std::span<const std::byte>(read_payload(bytes)));
        message_buffer message(static_cast<std::size_t>(bytes));
        fill(message.bytes(), false);
        return read(std::span<const std::byte>(message.bytes()));
    }

    /// Reads the next message into `room` and returns its bytes' number; throws `BufferTooShort`
    /// with the message where it is larger.
    std::size_t receive_into(std::span<std::byte> room) {
        const std::uint64_t bytes = read_length();
        if (bytes > room.size())
            throw BufferTooShort(read_payload(bytes));
        fill(room.first(static_cast<std::size_t>(bytes)), false);
        return static_cast<std::size_t>(bytes);
    }

private:
    std::uint64_t read_length() {
        std::array<std::byte, short_frame_bytes> start{};
        if (!fill(start, true))
            throw EOFError();
        std::uint64_t bytes = 0;
        const frame_kind kind = read_frame_start(start, bytes);
        if (kind == frame_kind::long_frame) {
            std::array<std::byte, long_frame_bytes - short_frame_bytes> rest{};
            fill(rest, false);
            bytes = big_endian(rest);
        }
        if (kind == frame_kind::invalid || bytes > longest_message)
            throw_damaged("a message of negative length");
        return bytes;
    }

    /// Room is made as the bytes arrive: a length alone is no reason to allocate.
    std::vector<std::byte> read_payload(std::uint64_t bytes) {
        std::vector<std::byte> message;
        while (message.size() < bytes) {
            const std::size_t have = message.size();
            const std::uint64_t next =
                smaller_of(bytes - have, larger_of<std::uint64_t>(have, room_at_first));
            message.resize(have + static_cast<std::size_t>(next));
            fill(std::span(message).subspan(have), false);
        }
        return message;
    }

    /// False at an end of file before the first byte, where that is allowed.
    bool fill(std::span<std::byte> into, bool may_end) {
        while (!into.empty()) {
            std::size_t count = 0;
            throw_if_error(read_some(stream_.get(), into, count), "receive from a connection");
            if (count == 0 && may_end)
                return false;
            if (count == 0)
                throw_damaged("an end of file within a message");
            into = into.subspan(count);
            may_end = false;
        }
        return true;
    }

    [[noreturn]] static void throw_damaged(const char* what) {
        throw_system_error(std::make_error_code(std::errc::bad_message),
                           std::string("receive from a connection: ") + what);
    }

    static constexpr std::uint64_t room_at_first = 1 << 20;
    static constexpr std::uint64_t longest_message = std::uint64_t{1} << 62;

    handle stream_;
};

}  // namespace multiprocessing::detail
