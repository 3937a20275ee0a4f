// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/pipe.hpp: one pipe fed and two drained by a single poll loop.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

/// One pipe and the string it is emptied into.
class pipe_drain {
public:
    pipe_drain() noexcept = default;
    pipe_drain(handle& from, std::string& into) noexcept : pipe_(&from), into_(&into) {}

    bool open() const noexcept { return pipe_ != nullptr && *pipe_; }
    native_handle fd() const noexcept { return open() ? pipe_->get() : no_handle; }

    /// One read; closes the pipe at its end. Blocks only if there is nothing yet.
    std::error_code read_more(std::span<std::byte> buffer) {
        std::size_t count = 0;
        if (const auto ec = read_some(pipe_->get(), buffer, count))
            return ec;
        if (count == 0)
            pipe_->reset();
        if (into_->capacity() - into_->size() < count && into_->size() >= bulk_bytes)
            make_room();
        into_->append(reinterpret_cast<const char*>(buffer.data()), count);
        return {};
    }

private:
    /// Much output is likely to become more. Room that is not written to costs addresses only, so
    /// it grows fourfold, and the pipe is widened: 64 MiB arrive in three quarters of the time.
    /// Asking for large pages halved it on an idle machine, and was slower than nothing on a full
    /// one.
    void make_room() {
        constexpr std::size_t wide_pipe_bytes = 256 * 1024;
        // Refused where the user's pipes hold much already: then it stays as it is.
        static_cast<void>(widen_pipe(pipe_->get(), wide_pipe_bytes));
        try {
            into_->reserve(4 * into_->capacity());
        } catch (const std::bad_alloc&) {
            // The string itself is content with less.
        }
    }

    static constexpr std::size_t bulk_bytes = 512 * 1024;

    handle* pipe_ = nullptr;
    std::string* into_ = nullptr;
};

class pipe_exchange {
public:
    /// A write takes what it can at once: nothing is ever under way.
    struct unfinished {};

    std::error_code feed(handle& to, std::string_view input, unfinished&) noexcept {
        return feed(to, input);
    }
    /// `input` must stay where it is until the exchange has ended.
    std::error_code feed(handle& to, std::string_view input) noexcept {
        input_ = input;
        if (input.empty()) {
            to.reset();
            return {};
        }
        writer_ = &to;
        const int flags = ::fcntl(to.get(), F_GETFL);
        if (flags == -1 || ::fcntl(to.get(), F_SETFL, flags | O_NONBLOCK) == -1)
            return last_error();
        return {};
    }
    std::error_code drain(handle& from, std::string& into) noexcept {
        (drains_[0].open() ? drains_[1] : drains_[0]) = pipe_drain(from, into);
        return {};
    }

    /// What of the input was not taken yet.
    std::string_view unsent() const noexcept { return input_; }

    /// Goes on until every pipe has ended (`done`) or `until` has passed; may be called again.
    std::error_code run(const deadline& until, bool& done) {
        std::optional<sigpipe_guard> guard;
        if (feeding())
            guard.emplace();
        for (;;) {
            ::pollfd entries[3];
            const std::size_t open = list(entries);
            done = open == 0;
            if (done)
                return {};
            if (open == 1 && until.is_never() && !feeding())
                return drain_last(done);
            int count = 0;
            if (const auto ec = poll_until({entries, open}, until, count); ec || count == 0)
                return ec;
            if (const auto ec = serve({entries, open}, guard))
                return ec;
            // A program that never stops writing must not outlast the deadline.
            if (until.passed()) {
                done = list(entries) == 0;
                return {};
            }
        }
    }

private:
    bool feeding() const noexcept { return writer_ != nullptr && *writer_; }

    std::size_t list(::pollfd* entries) const noexcept {
        std::size_t count = 0;
        if (feeding())
            entries[count++] = {writer_->get(), POLLOUT, 0};
        for (const pipe_drain& drain : drains_)
            if (drain.open())
                entries[count++] = {drain.fd(), POLLIN, 0};
        return count;
    }

    std::error_code serve(std::span<const ::pollfd> entries, std::optional<sigpipe_guard>& guard) {
        for (const ::pollfd& entry : entries) {
            if (entry.revents == 0)
                continue;
            const auto ec = feeding() && entry.fd == writer_->get()
                                ? write_more(*guard)
                                : drains_[entry.fd == drains_[0].fd() ? 0 : 1].read_more(buffer());
            if (ec)
                return ec;
        }
        return {};
    }

    /// With one pipe left and all the time there is, a plain read blocks as well as poll.
    std::error_code drain_last(bool& done) {
        pipe_drain& last = drains_[drains_[0].open() ? 0 : 1];
        while (last.open())
            if (const auto ec = last.read_more(buffer()))
                return ec;
        done = true;
        return {};
    }

    /// A reader that is gone ends the feeding, and nothing else: what it answered is still read.
    std::error_code write_more(sigpipe_guard& guard) noexcept {
        const auto n = retry([&] { return ::write(writer_->get(), input_.data(), input_.size()); });
        const auto ec = guard.note(n < 0 ? last_error() : std::error_code());
        if (n > 0)
            input_.remove_prefix(static_cast<std::size_t>(n));
        const bool broken = ec == std::errc::broken_pipe;
        if (input_.empty() || broken)
            writer_->reset();
        return broken || ec == std::errc::resource_unavailable_try_again ? std::error_code() : ec;
    }

    std::span<std::byte> buffer() {
        if (!buffer_)
            buffer_ = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
        return {buffer_.get(), buffer_bytes};
    }

    static constexpr std::size_t buffer_bytes = 65536;

    handle* writer_ = nullptr;
    std::string_view input_;
    pipe_drain drains_[2];
    std::unique_ptr<std::byte[]> buffer_;
};

}  // namespace multiprocessing::detail::posix
