// SPDX-License-Identifier: MIT
// Linux backend of detail/os/doorbell.hpp: an eventfd, and epoll to hear it and the ends of
// processes.
#pragma once

#include <csignal>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

class doorbell {
public:
    doorbell() noexcept = default;
    explicit doorbell(handle owner) noexcept : event_(std::move(owner)) {}

    static std::error_code create(doorbell& bell) noexcept {
        bell.event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
        if (!bell.event_)
            return last_error();
        if (const auto ec = keep_off_streams(bell.event_))
            return ec;
        return ::fcntl(bell.event_.get(), F_SETSIG, mark) == -1 ? last_error() : std::error_code();
    }

    native_handle native() const noexcept { return event_.get(); }

    std::error_code check() const noexcept {
        return ::fcntl(event_.get(), F_GETSIG) == mark
                   ? std::error_code()
                   : std::make_error_code(std::errc::bad_file_descriptor);
    }

    /// A counter that is full (EAGAIN) rings already.
    std::error_code ring() noexcept {
        if (const auto ec = check())
            return ec;
        const std::uint64_t one = 1;
        if (retry([&] { return ::write(event_.get(), &one, sizeof one); }) == -1 && errno != EAGAIN)
            return last_error();
        return {};
    }

    void silence() noexcept {
        std::uint64_t rung = 0;
        retry([&] { return ::read(event_.get(), &rung, sizeof rung); });  // EAGAIN: was silent.
    }

private:
    /// The signal that the open file is set to send; no other of this library has this one, and one
    /// that is new has none. It is never sent: O_ASYNC is not set.
    static constexpr int mark = SIGWINCH;

    handle event_;
};

class wait_set {
public:
    static std::error_code create(wait_set& set) noexcept {
        set.poll_.reset(::epoll_create1(EPOLL_CLOEXEC));
        return set.poll_ ? keep_off_streams(set.poll_) : last_error();
    }

    std::error_code add(native_handle object, std::uint64_t key) noexcept {
        ::epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = key;
        return ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, object, &event) == -1 ? last_error()
                                                                             : std::error_code();
    }

    void remove(native_handle object) noexcept {
        ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, object, nullptr);  // Fails only if it is not in.
    }

    std::error_code wait(const deadline& until, std::vector<std::uint64_t>& keys) {
        keys.clear();
        ::epoll_event events[16];
        for (;;) {
            const int count = ::epoll_wait(poll_.get(), events, 16, milliseconds(until));
            if (count == -1 && errno != EINTR)
                return last_error();
            for (int i = 0; i < count; ++i) {
                const std::uint64_t key = events[i].data.u64;  // A copy: the entries are packed.
                keys.push_back(key);
            }
            if (count > 0 || (count == 0 && until.passed()))
                return {};
        }
    }

private:
    /// Rounded up, so that the time has passed when the wait says so.
    static int milliseconds(const deadline& until) noexcept {
        const auto left = until.remaining();
        if (!left)
            return -1;
        const auto count = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
        return count > 1'000'000'000 ? 1'000'000'000 : static_cast<int>(count);
    }

    handle poll_;
};

}  // namespace multiprocessing::detail::posix
