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
    handle(handle&& other) noexcept : fd_(other.release()) {}
    handle& operator=(handle&& other) noexcept {
        if (this != &other)
            reset(other.release());
        return *this;
    }
    ~handle() { reset(); }

    native_handle get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ != no_handle; }
    native_handle release() noexcept { return std::exchange(fd_, no_handle); }

    void reset(native_handle fd = no_handle) noexcept {
        if (const native_handle old = std::exchange(fd_, fd); old != no_handle)
            ::close(old);  // Nothing to do on failure: the descriptor is gone either way.
    }

private:
    native_handle fd_ = no_handle;
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
    for (const native_handle object : objects)
        entries.push_back({object, POLLIN, 0});
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
