// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/handle.hpp: file descriptors, always close-on-exec.
#pragma once

#include <cstddef>
#include <cstdio>
#include <ctime>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/fork_shield.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

using native_handle = int;
inline constexpr native_handle no_handle = -1;

class handle {
public:
    handle() noexcept = default;
    explicit handle(native_handle fd) noexcept : fd_(fd) {}
    handle(handle&& other) noexcept
        : fd_(std::exchange(other.fd_, no_handle)),
          shielded_(std::exchange(other.shielded_, false)) {}
    handle& operator=(handle&& other) noexcept {
        std::swap(fd_, other.fd_);
        std::swap(shielded_, other.shielded_);
        if (this != &other)
            other.reset();
        return *this;
    }
    ~handle() { reset(); }

    /// One that fork_shield has: closed in every fork of this process.
    static handle shielded(native_handle fd) noexcept {
        handle result(fd);
        result.shielded_ = true;
        return result;
    }
    /// From now on forks have it, too.
    void share_with_forks() noexcept {
        if (std::exchange(shielded_, false) && !fork_shield::instance().leave(fd_))
            fd_ = no_handle;  // This is a fork: it was closed, or left to it by its number.
    }

    native_handle get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ != no_handle; }
    native_handle release() noexcept {
        share_with_forks();
        return std::exchange(fd_, no_handle);
    }

    void reset(native_handle fd = no_handle) noexcept {
        const bool shielded = std::exchange(shielded_, false);
        const native_handle old = std::exchange(fd_, fd);
        if (shielded)
            fork_shield::instance().close(old);
        else if (old != no_handle)
            ::close(old);  // Nothing to do on failure: the descriptor is gone either way.
    }

private:
    native_handle fd_ = no_handle;
    bool shielded_ = false;
};

inline native_handle standard_stream(int which) noexcept {
    return which;
}

inline native_handle file_handle(std::FILE* file) noexcept {
    return file == nullptr ? no_handle : ::fileno(file);
}

/// Another descriptor for the same object. It is never 0, 1 or 2: those are for a program's
/// streams.
inline std::error_code duplicate(native_handle source, handle& copy) noexcept {
    copy.reset(::fcntl(source, F_DUPFD_CLOEXEC, 3));
    return copy ? std::error_code() : last_error();
}

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

/// A descriptor that arrived by inheritance, made close-on-exec again. Fails if there is none.
inline std::error_code adopt(native_handle inherited, handle& owner) noexcept {
    if (::fcntl(inherited, F_SETFD, FD_CLOEXEC) == -1)
        return last_error();
    owner.reset(inherited);
    return {};
}

/// What ppoll takes for "until then": null for ever.
class poll_timeout {
public:
    explicit poll_timeout(const deadline& until) noexcept {
        if (const auto left = until.remaining()) {
            const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*left);
            value_ = {static_cast<std::time_t>(seconds.count()),
                      static_cast<long>((*left - seconds).count())};
            limited_ = true;
        }
    }
    const ::timespec* get() const noexcept { return limited_ ? &value_ : nullptr; }

private:
    ::timespec value_{};
    bool limited_ = false;
};

/// Polls until an entry is ready or `until` has passed; `count` is the number of ready entries.
inline std::error_code poll_until(std::span<::pollfd> entries, const deadline& until, int& count) {
    for (;;) {
        const poll_timeout left(until);
        count = ::ppoll(entries.data(), static_cast<::nfds_t>(entries.size()), left.get(), nullptr);
        if (count >= 0)
            return {};
        if (errno != EINTR)
            return last_error();
    }
}

inline std::error_code wait_ready(native_handle object, const deadline& until, bool& ready) {
    ready = false;
    if (object < 0)  // poll takes no notice of those.
        return std::make_error_code(std::errc::bad_file_descriptor);
    ::pollfd entry{object, POLLIN, 0};
    int count = 0;
    const auto ec = poll_until({&entry, 1}, until, count);
    ready = count > 0;
    if (ready && (entry.revents & POLLNVAL) != 0)
        return std::make_error_code(std::errc::bad_file_descriptor);
    return ec;
}

inline std::error_code wait_ready(std::span<const native_handle> objects, const deadline& until,
                                  std::vector<std::size_t>& ready) {
    ready.clear();
    std::vector<::pollfd> entries;
    entries.reserve(objects.size());
    for (const native_handle object : objects) {
        if (object < 0)
            return std::make_error_code(std::errc::bad_file_descriptor);
        entries.push_back({object, POLLIN, 0});
    }
    int count = 0;
    if (const auto ec = poll_until(entries, until, count))
        return ec;
    for (std::size_t i = 0; i < entries.size() && count > 0; ++i) {
        if ((entries[i].revents & POLLNVAL) != 0)
            return std::make_error_code(std::errc::bad_file_descriptor);
        if (entries[i].revents != 0)
            ready.push_back(i);
    }
    return {};
}

}  // namespace multiprocessing::detail::posix
