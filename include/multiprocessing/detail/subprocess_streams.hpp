// SPDX-License-Identifier: MIT
// This process' ends of the pipes to a program's standard streams.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::subprocess {

/// What both kinds of ends have. Where no pipe was asked for, the end is there and false, and every
/// use of it but `close` is a `ValueError`; Python has None there.
class pipe_end {
public:
    pipe_end() noexcept = default;
    explicit pipe_end(detail::handle pipe) noexcept
        : pipe_(std::move(pipe)), piped_(static_cast<bool>(pipe_)) {}

    /// Whether a pipe was asked for, also when it is closed by now.
    explicit operator bool() const noexcept { return piped_; }
    /// Whether it cannot be used: closed, or never a pipe.
    bool closed() const noexcept { return !pipe_; }
    /// Closes it, which the program sees as end of file or as a broken pipe. More than once is
    /// fine.
    void close() noexcept { pipe_.reset(); }

    /// The system's handle, which stays this object's. Throws `ValueError` where there is none.
    detail::native_handle fileno() const {
        if (!piped_)
            throw ValueError("the stream is not a pipe: PIPE was not asked for");
        if (!pipe_)
            throw ValueError("I/O operation on closed pipe");
        return pipe_.get();
    }

protected:
    friend class Popen;

    void share_with_forks() noexcept { pipe_.share_with_forks(); }

    detail::handle pipe_;

private:
    bool piped_ = false;
};

/// The end that a program's standard input is written to. For one thread at a time.
/// Python: `Popen.stdin`.
class pipe_writer : public pipe_end {
public:
    using pipe_end::pipe_end;

    /// Writes all of it, at once and unbuffered; blocks while the program does not read. Throws
    /// `std::system_error` with `std::errc::broken_pipe` when it never will; no SIGPIPE is raised.
    void write(std::string_view text) {
        const auto bytes = std::as_bytes(std::span(text));
        detail::throw_if_error(detail::write_all(fileno(), bytes, {}), "write to a program");
    }
    /// Nothing is ever held back; here because Python's programs call it.
    void flush() const { fileno(); }

private:
    friend class Popen;
};

/// The end that a program's standard output or error is read from. For one thread at a time.
/// Python: `Popen.stdout`, `Popen.stderr`.
class pipe_reader : public pipe_end {
public:
    using pipe_end::pipe_end;

    pipe_reader(pipe_reader&& other) noexcept
        : pipe_end(std::move(other)), buffer_(std::move(other.buffer_)),
          held_(std::exchange(other.held_, {})) {}
    pipe_reader& operator=(pipe_reader&& other) noexcept {
        pipe_end::operator=(std::move(other));
        buffer_ = std::move(other.buffer_);
        held_ = std::exchange(other.held_, {});
        return *this;
    }

    /// Everything up to the end of file; blocks until then.
    std::string read() {
        std::string text;
        while (has_more())
            take(held_.size(), text);
        return text;
    }
    /// `count` bytes, or fewer at the end of file; blocks until then.
    std::string read(std::size_t count) {
        std::string text;
        while (text.size() < count && has_more())
            take(detail::smaller_of(held_.size(), count - text.size()), text);
        return text;
    }
    /// What has come, at most `count` bytes; blocks until there is something; empty at the end of
    /// file. Python: `read1`.
    std::string read_some(std::size_t count = buffer_bytes) {
        std::string text;
        if (count > 0 && has_more())
            take(detail::smaller_of(held_.size(), count), text);
        return text;
    }
    /// The same into memory of the caller's, without a copy where nothing is held; returns how many
    /// bytes. Python: `readinto1`.
    std::size_t read_some(std::span<std::byte> into) {
        const detail::native_handle from = fileno();
        std::size_t count = detail::smaller_of(held_.size(), into.size());
        if (count == 0)
            detail::throw_if_error(detail::read_some(from, into, count), "read from a program");
        else
            held_.copy(reinterpret_cast<char*>(into.data()), count);
        held_.remove_prefix(detail::smaller_of(held_.size(), count));
        return count;
    }
    /// One line with its newline; without one at the end of file; empty after that.
    std::string readline() {
        std::string line;
        while (!line.ends_with('\n') && has_more())
            take(detail::smaller_of(held_.find('\n'), held_.size() - 1) + 1, line);
        return line;
    }
    /// Waits until `read_some` would not block; returns whether that is so. Without an argument it
    /// only asks. Not in Python, where `select` does this.
    bool poll(const timeout& limit = std::chrono::nanoseconds::zero()) {
        const detail::native_handle from = fileno();
        bool ready = !held_.empty();
        if (!ready)
            detail::throw_if_error(detail::wait_ready(from, detail::deadline::after(limit), ready),
                                   "wait for output of a program");
        return ready;
    }

private:
    friend class Popen;

    static constexpr std::size_t buffer_bytes = 65536;

    void take(std::size_t count, std::string& into) {
        into += held_.substr(0, count);
        held_.remove_prefix(count);
    }

    /// Whether something is held; reads once if not. False at the end of file.
    bool has_more() {
        const detail::native_handle from = fileno();
        if (!held_.empty())
            return true;
        if (!buffer_)
            buffer_ = std::make_unique_for_overwrite<char[]>(buffer_bytes);
        const auto room = std::as_writable_bytes(std::span(buffer_.get(), buffer_bytes));
        std::size_t count = 0;
        detail::throw_if_error(detail::read_some(from, room, count), "read from a program");
        held_ = {buffer_.get(), count};
        return count > 0;
    }

    std::unique_ptr<char[]> buffer_;
    std::string_view held_;
};

}  // namespace multiprocessing::subprocess
