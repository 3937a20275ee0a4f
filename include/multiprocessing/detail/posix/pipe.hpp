// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/pipe.hpp: pipe2, and writes that never raise SIGPIPE.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

struct pipe_ends {
    handle reader;
    handle writer;
};

/// Moves a descriptor that took the place of a missing standard stream above them.
inline std::error_code keep_off_streams(handle& end) noexcept {
    if (end.get() > 2)
        return {};
    handle moved;
    if (const auto ec = duplicate(end.get(), moved))
        return ec;
    end = std::move(moved);
    return {};
}

inline std::error_code open_pipe(pipe_ends& ends) noexcept {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) == -1)
        return last_error();
    ends.reader.reset(fds[0]);
    ends.writer.reset(fds[1]);
    const auto ec = keep_off_streams(ends.reader);
    return ec ? ec : keep_off_streams(ends.writer);
}

/// Holds SIGPIPE back from this thread. A signal that a write raised meanwhile is taken off again,
/// one that was pending before is left.
class sigpipe_guard {
public:
    sigpipe_guard() noexcept {
        ::sigemptyset(&sigpipe_);
        ::sigaddset(&sigpipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    sigpipe_guard(const sigpipe_guard&) = delete;
    sigpipe_guard& operator=(const sigpipe_guard&) = delete;
    ~sigpipe_guard() {
        if (raised_ && ::sigismember(&before_, SIGPIPE) == 0) {
            const ::timespec at_once{};
            while (::sigtimedwait(&sigpipe_, nullptr, &at_once) == -1 && errno == EINTR) {
            }
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    /// Notes what the write reported, and passes it on.
    std::error_code note(std::error_code ec) noexcept {
        raised_ = raised_ || ec == std::errc::broken_pipe;
        return ec;
    }

private:
    ::sigset_t sigpipe_;
    ::sigset_t before_;
    bool raised_ = false;
};

inline std::error_code read_some(native_handle from, std::span<std::byte> into,
                                 std::size_t& count) noexcept {
    const auto n = retry([&] { return ::read(from, into.data(), into.size()); });
    count = n < 0 ? 0 : static_cast<std::size_t>(n);
    return n < 0 ? last_error() : std::error_code();
}

template <class Write>
std::error_code write_pieces(::iovec* pieces, int count, Write write) noexcept {
    while (count > 0) {
        const auto n = retry([&] { return write(pieces, count); });
        if (n < 0)
            return last_error();
        auto left = static_cast<std::size_t>(n);
        while (count > 0 && left >= pieces->iov_len) {
            left -= pieces->iov_len;
            ++pieces;
            --count;
        }
        if (count > 0) {
            pieces->iov_base = static_cast<char*>(pieces->iov_base) + left;
            pieces->iov_len -= left;
        }
    }
    return {};
}

/// Whether this kernel takes the flag that keeps SIGPIPE from being raised (Linux 6.18 does); two
/// calls a message less than the guard.
inline std::atomic<bool>& quiet_writes() noexcept {
    // Relaxed at every use: who sees the change late asks the kernel again.
    static std::atomic<bool> known{true};
    return known;
}

inline std::error_code write_all(native_handle to, std::span<const std::byte> head,
                                 std::span<const std::byte> body = {}) noexcept {
    ::iovec pieces[2] = {{const_cast<std::byte*>(head.data()), head.size()},
                         {const_cast<std::byte*>(body.data()), body.size()}};
    const int count = body.empty() ? 1 : 2;
    if (quiet_writes().load(std::memory_order_relaxed)) {
        constexpr int no_signal = 0x100;
        const auto ec = write_pieces(pieces, count, [to](const ::iovec* from, int n) {
            return ::pwritev2(to, from, n, -1, no_signal);
        });
        if (ec != std::errc::operation_not_supported && ec != std::errc::function_not_supported)
            return ec;
        quiet_writes().store(false, std::memory_order_relaxed);
    }
    sigpipe_guard guard;
    return guard.note(write_pieces(
        pieces, count, [to](const ::iovec* from, int n) { return ::writev(to, from, n); }));
}

/// Feeds one pipe and drains two at once. Each pipe is closed when it has ended.
class pipe_exchange {
public:
    /// `input` must stay where it is until the exchange has ended.
    std::error_code feed(handle& to, std::string_view input) noexcept {
        input_ = input;
        return add(writer_, to);
    }
    std::error_code drain(handle& from, std::string& into) {
        reader& slot = readers_[readers_[0].pipe == nullptr ? 0 : 1];
        slot.into = &into;
        return add(slot.pipe, from);
    }

    /// Goes on until every pipe has ended (`done`) or `until` has passed; may be called again.
    std::error_code run(const deadline& until, bool& done) {
        sigpipe_guard guard;
        for (;;) {
            ::pollfd entries[3];
            const std::size_t open = list(entries);
            done = open == 0;
            if (done)
                return {};
            int count = 0;
            if (const auto ec = poll_until({entries, open}, until, count))
                return ec;
            if (count == 0)
                return {};
            if (const auto ec = serve({entries, open}, guard))
                return ec;
        }
    }

private:
    struct reader {
        handle* pipe = nullptr;
        std::string* into = nullptr;
    };

    static std::error_code add(handle*& slot, handle& pipe) noexcept {
        slot = &pipe;
        const int flags = ::fcntl(pipe.get(), F_GETFL);
        if (flags == -1 || ::fcntl(pipe.get(), F_SETFL, flags | O_NONBLOCK) == -1)
            return last_error();
        return {};
    }

    std::size_t list(::pollfd* entries) const noexcept {
        std::size_t count = 0;
        if (writer_ != nullptr && *writer_)
            entries[count++] = {writer_->get(), POLLOUT, 0};
        for (const reader& r : readers_)
            if (r.pipe != nullptr && *r.pipe)
                entries[count++] = {r.pipe->get(), POLLIN, 0};
        return count;
    }

    std::error_code serve(std::span<const ::pollfd> entries, sigpipe_guard& guard) {
        for (const ::pollfd& entry : entries) {
            if (entry.revents == 0)
                continue;
            const auto ec =
                writer_ != nullptr && *writer_ && entry.fd == writer_->get()
                    ? guard.note(write_more())
                    : read_more(entry.fd == fd_of(readers_[0]) ? readers_[0] : readers_[1]);
            if (ec && ec != std::errc::resource_unavailable_try_again &&
                ec != std::errc::broken_pipe)
                return ec;
        }
        return {};
    }

    static native_handle fd_of(const reader& r) noexcept {
        return r.pipe != nullptr ? r.pipe->get() : no_handle;
    }

    /// A reader that is gone ends the feeding, and nothing else: what it answered is still read.
    std::error_code write_more() noexcept {
        const auto n = input_.empty() ? 0 : retry([&] {
            return ::write(writer_->get(), input_.data(), input_.size());
        });
        const auto ec = n < 0 ? last_error() : std::error_code();
        if (n > 0)
            input_.remove_prefix(static_cast<std::size_t>(n));
        if (input_.empty() || ec == std::errc::broken_pipe)
            writer_->reset();
        return ec;
    }

    std::error_code read_more(reader& r) {
        if (buffer_.empty())
            buffer_.resize(buffer_bytes);
        std::size_t count = 0;
        if (const auto ec = read_some(r.pipe->get(), buffer_, count))
            return ec;
        if (count == 0)
            r.pipe->reset();
        r.into->append(reinterpret_cast<const char*>(buffer_.data()), count);
        return {};
    }

    static constexpr std::size_t buffer_bytes = 65536;

    handle* writer_ = nullptr;
    std::string_view input_;
    reader readers_[2];
    std::vector<std::byte> buffer_;
};

}  // namespace multiprocessing::detail::posix
