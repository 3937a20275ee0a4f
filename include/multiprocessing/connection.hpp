// SPDX-License-Identifier: MIT
// Connections: the two ends of a Pipe, which carry values and messages of bytes.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/frame_stream.hpp>
#include <multiprocessing/detail/message_buffer.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>

namespace multiprocessing {

/// Whether both ends of a Pipe can send; used as `Pipe({.duplex = false})`.
struct pipe_options {
    bool duplex = true;
};

/// One end of a pipe. A cheap handle: copies mean the same end, which is closed with the last copy
/// in this process or by `close()`. Messages keep their boundaries and their order. Python:
/// `multiprocessing.connection.Connection`.
///
/// One thread of one process may send and one receive at the same time; more need a lock of their
/// own around each. After `close()`, and in a direction the end does not have, members throw
/// `ValueError`. No signal is raised where the other end is gone.
class Connection {
public:
    /// Sends a value; blocks while the pipe is full. Throws `std::system_error` with `EPIPE` where
    /// the other end is closed; what cannot cross does not compile.
    template <class T>
    void send(const T& value) {
        detail::assert_sendable<sent_as<T>>();
        const std::size_t bytes = detail::encoded_size(value);
        detail::message_buffer message(sizeof(std::uint64_t) + bytes);
        detail::encode_to(message.data(), detail::type_tag<sent_as<T>>(), value);
        writing().send(message.bytes());
    }

    /// Receives a value, as the type it was sent as; blocks until there is one. Throws `EOFError`
    /// where the other end is closed and everything was read; `PicklingError` where the message is
    /// a value of another type, or was sent by `send_bytes`: it is consumed; `std::system_error`
    /// with `std::errc::bad_message` where the sender ended in the middle of one. Text sent as a
    /// literal is a `std::string` here.
    template <class T>
    T recv() {
        return reading().receive_with([](std::span<const std::byte> message) {
            detail::decoder in(message);
            if (message.size() < sizeof(std::uint64_t) ||
                in.read<std::uint64_t>() != detail::type_tag<T>())
                throw PicklingError("expected a message with a value of type " +
                                    detail::type_name<T>() + ", and received " +
                                    std::to_string(message.size()) +
                                    " bytes that were sent as something else");
            T value = in.read<T>();
            in.finish();
            return value;
        });
    }

    /// Sends `size` bytes of `bytes` from `offset`, all that follow if absent, as one message;
    /// blocks while the pipe is full. Throws `ValueError` where there are not so many.
    void send_bytes(std::span<const std::byte> bytes, std::size_t offset = 0,
                    std::optional<std::size_t> size = {}) {
        if (offset > bytes.size())
            throw ValueError("send_bytes: the offset is beyond the buffer's " +
                             std::to_string(bytes.size()) + " bytes");
        if (size && *size > bytes.size() - offset)
            throw ValueError("send_bytes: the buffer has no " + std::to_string(*size) +
                             " bytes from the offset on");
        writing().send(bytes.subspan(offset, size.value_or(bytes.size() - offset)));
    }
    /// The same for text.
    void send_bytes(std::string_view text) { send_bytes(std::as_bytes(std::span(text))); }

    /// Receives one message; blocks until there is one. Throws `EOFError` as `recv` does;
    /// `std::system_error` with `EMSGSIZE` where it is longer than `maxlength`: then nothing more
    /// can be received, for its rest would be taken for messages.
    std::vector<std::byte> recv_bytes(std::optional<std::size_t> maxlength = {}) {
        return reading().receive(maxlength);
    }

    /// Receives one message into `buffer` from `offset` on; returns its bytes' number. Throws
    /// `BufferTooShort`, with the message, where it does not fit; `ValueError` for an offset beyond
    /// the buffer.
    std::size_t recv_bytes_into(std::span<std::byte> buffer, std::size_t offset = 0) {
        if (offset > buffer.size())
            throw ValueError("recv_bytes_into: the offset is beyond the buffer's " +
                             std::to_string(buffer.size()) + " bytes");
        return reading().receive_into(buffer.subspan(offset));
    }

    /// Whether there is something to receive, or becomes so before `limit` passes; asks at once if
    /// it is left out, waits for ever if it is empty. An end of file counts: `recv` then throws
    /// `EOFError`.
    bool poll(const timeout& limit = std::chrono::nanoseconds::zero()) {
        return reading().poll(detail::deadline::after(limit));
    }

    /// Closes this end in this process. May be repeated.
    void close() noexcept { state_->close(); }
    bool closed() const noexcept { return !state_->reader && !state_->writer; }
    bool readable() const noexcept { return static_cast<bool>(state_->reader); }
    bool writable() const noexcept { return static_cast<bool>(state_->writer); }

    /// The handle that becomes ready when there is something to receive; of an end that only sends,
    /// the one it sends by.
    detail::native_handle fileno() const {
        check_open();
        return state_->reader ? state_->reader.native() : state_->writer.native();
    }

    /// Whether both mean the same end: one is a copy of the other.
    friend bool operator==(const Connection& a, const Connection& b) noexcept {
        return a.state_ == b.state_;
    }

private:
    friend std::pair<Connection, Connection> Pipe(pipe_options options);
    friend struct detail::codec<Connection>;

    struct ends {
        void close() noexcept {
            reader.close();
            writer.close();
        }
        detail::frame_reader reader;
        detail::frame_writer writer;
    };

    // Text travels as a string, whatever it was at the sender.
    template <class T>
    using sent_as = detail::argument_t<T>;

    Connection(detail::handle reader, detail::handle writer) : state_(std::make_shared<ends>()) {
        state_->reader = detail::frame_reader(std::move(reader));
        state_->writer = detail::frame_writer(std::move(writer));
    }

    void check_open() const {
        if (closed())
            throw ValueError("connection is closed");
    }
    detail::frame_reader& reading() const {
        check_open();
        if (!readable())
            throw ValueError("connection is write-only");
        return state_->reader;
    }
    detail::frame_writer& writing() const {
        check_open();
        if (!writable())
            throw ValueError("connection is read-only");
        return state_->writer;
    }

    std::shared_ptr<ends> state_;
};

/// Two connections, the ends of one pipe: each receives what the other sends, or, if not duplex,
/// the first what the second sends. Throws `std::system_error`. Python: `multiprocessing.Pipe`.
///
/// An end of file is seen when every copy of the other end in every process is closed: close the
/// end that you gave to a child. Two pipes of the system are behind a duplex one: half the time of
/// a socket for a round trip.
inline std::pair<Connection, Connection> Pipe(pipe_options options = {}) {
    detail::pipe_ends there;
    detail::pipe_ends back;
    detail::throw_if_error(detail::open_pipe(there), "open a pipe");
    if (options.duplex)
        detail::throw_if_error(detail::open_pipe(back), "open a pipe");
    return {Connection(std::move(there.reader), std::move(back.writer)),
            Connection(std::move(back.reader), std::move(there.writer))};
}

namespace detail {

/// An end handed to a child that is being started; it has an end of its own then.
template <>
struct codec<Connection> {
    static constexpr std::size_t min_bytes = 2;

    static void size(sizer& sizes, const Connection& end) {
        sizes.add(2 + sizeof(std::uint32_t) * (end.readable() + end.writable()));
    }
    static void write(writer& out, const Connection& end) {
        if (end.closed())
            throw PicklingError("a connection that is closed cannot be handed to a process");
        write_handle(out, end.readable(), end.state_->reader.native());
        write_handle(out, end.writable(), end.state_->writer.native());
    }
    static Connection read(decoder& in) {
        handle reader = read_handle(in);
        handle writer = read_handle(in);
        return Connection(std::move(reader), std::move(writer));
    }

private:
    static void write_handle(writer& out, bool present, native_handle object) {
        out.put_value(static_cast<unsigned char>(present));
        if (present)
            out.put_value(handle_outbox::put(object, "connection"));
    }
    static handle read_handle(decoder& in) {
        return read_flag<Connection>(in, "an end (0 or 1)")
                   ? handle_inbox::take(in.take_value<std::uint32_t>())
                   : handle();
    }
};

}  // namespace detail

namespace connection {

/// What can be waited for: a connection, a process (until it has ended), or a handle of the system,
/// such as a sentinel. Compares equal to what it was made of.
class waitable {
public:
    waitable(const Connection& end) : handle_(end.fileno()) {}
    template <class Process>
    requires requires(const Process& process) {
        { process.sentinel() } -> std::convertible_to<detail::native_handle>;
    }
    waitable(const Process& process) : handle_(process.sentinel()) {}
    waitable(detail::native_handle object) noexcept : handle_(object) {}

    detail::native_handle fileno() const noexcept { return handle_; }

    friend bool operator==(const waitable& a, const waitable& b) noexcept {
        return a.handle_ == b.handle_;
    }

private:
    detail::native_handle handle_;
};

/// Waits until one of the objects is ready, or `limit` passes; returns all that are, in their
/// order. A connection is ready when there is something to receive or the other end is closed, a
/// process when it has ended. Throws `ValueError` for a connection that is closed or a process that
/// was not started, `std::system_error` for a handle that is not open. Python: `connection.wait`.
template <class Objects>
requires std::convertible_to<typename Objects::value_type, waitable>
    std::vector<typename Objects::value_type> wait(const Objects& objects,
                                                   const timeout& limit = {}) {
    std::vector<detail::native_handle> handles;
    for (const auto& object : objects)
        handles.push_back(waitable(object).fileno());
    std::vector<std::size_t> places;
    detail::throw_if_error(detail::wait_ready(handles, detail::deadline::after(limit), places),
                           "wait for several objects");
    std::vector<typename Objects::value_type> ready;
    std::size_t place = 0;
    auto next = places.begin();
    for (const auto& object : objects) {
        if (next == places.end())
            break;
        if (place++ == *next) {
            ready.push_back(object);
            ++next;
        }
    }
    return ready;
}
/// The same for objects of different types: `wait({end, process.sentinel()})`.
inline std::vector<waitable> wait(std::initializer_list<waitable> objects,
                                  const timeout& limit = {}) {
    return wait(std::vector<waitable>(objects), limit);
}

}  // namespace connection
}  // namespace multiprocessing
