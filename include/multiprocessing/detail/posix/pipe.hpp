// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/pipe.hpp: pipe2, and writes that never raise SIGPIPE.
#pragma once

#include <atomic>
#include <csignal>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>

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

inline std::error_code open_pipe(pipe_ends& ends) noexcept {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) == -1)
        return last_error();
    ends.reader.reset(fds[0]);
    ends.writer.reset(fds[1]);
    const auto ec = keep_off_streams(ends.reader);
    return ec ? ec : keep_off_streams(ends.writer);
}

/// The same, but forks of this process do not have the ends.
inline std::error_code open_shielded_pipe(pipe_ends& ends) {
    pipe_ends opened;
    const auto ec = fork_shield::instance().under_lock([&](fork_shield& shield) {
        shield.reserve(2);
        const auto failed = open_pipe(opened);
        if (!failed) {
            shield.enter(opened.reader.get());
            shield.enter(opened.writer.get());
        }
        return failed;
    });
    if (ec)
        return ec;
    ends.reader = handle::shielded(opened.reader.release());
    ends.writer = handle::shielded(opened.writer.release());
    return {};
}

/// All ends are alike.
inline std::error_code open_program_pipe(pipe_ends& ends, bool) {
    return open_shielded_pipe(ends);
}

inline std::error_code open_null(handle& both_ways) noexcept {
    both_ways.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    return both_ways ? keep_off_streams(both_ways) : last_error();
}

inline std::error_code create_file(const std::string& path, handle& file) noexcept {
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    file.reset(retry([&] { return ::open(path.c_str(), flags, 0666); }));
    return file ? keep_off_streams(file) : last_error();
}

inline std::error_code set_pipe_capacity(native_handle pipe, std::size_t bytes) noexcept {
    constexpr std::size_t most = 0x7fffffff;
    const int size = static_cast<int>(bytes < most ? bytes : most);
    return ::fcntl(pipe, F_SETPIPE_SZ, size) == -1 ? last_error() : std::error_code();
}

inline std::error_code widen_pipe(native_handle pipe, std::size_t bytes) noexcept {
    const int now = ::fcntl(pipe, F_GETPIPE_SZ);
    if (now == -1)
        return last_error();
    return static_cast<std::size_t>(now) < bytes ? set_pipe_capacity(pipe, bytes)
                                                 : std::error_code();
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

/// Waits where the system would not: pipes may be in non-blocking mode, ours while they are fed,
/// and others' because whoever else has them open chose so.
template <class Call>
inline std::error_code blocking(native_handle pipe, short event, std::size_t& count,
                                Call call) noexcept {
    for (;;) {
        const auto n = retry(call);
        count = n < 0 ? 0 : static_cast<std::size_t>(n);
        if (n >= 0)
            return {};
        if (errno != EAGAIN)
            return last_error();
        ::pollfd entry{pipe, event, 0};
        if (retry([&] { return ::poll(&entry, 1, -1); }) == -1)
            return last_error();
    }
}

inline std::error_code read_some(native_handle from, std::span<std::byte> into,
                                 std::size_t& count) noexcept {
    return blocking(from, POLLIN, count, [&] { return ::read(from, into.data(), into.size()); });
}

template <class Write>
std::error_code write_pieces(native_handle to, ::iovec* pieces, int count, Write write) noexcept {
    while (count > 0) {
        std::size_t left = 0;
        if (const auto ec = blocking(to, POLLOUT, left, [&] { return write(pieces, count); }))
            return ec;
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
        const auto ec = write_pieces(to, pieces, count, [to](const ::iovec* from, int n) {
            return ::pwritev2(to, from, n, -1, no_signal);
        });
        if (ec != std::errc::operation_not_supported && ec != std::errc::function_not_supported)
            return ec;
        quiet_writes().store(false, std::memory_order_relaxed);
    }
    sigpipe_guard guard;
    return guard.note(write_pieces(
        to, pieces, count, [to](const ::iovec* from, int n) { return ::writev(to, from, n); }));
}

}  // namespace multiprocessing::detail::posix
