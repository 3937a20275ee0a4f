// SPDX-License-Identifier: MIT
// One read or write that is under way, and how it ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>

namespace multiprocessing::detail::windows {

/// An operation on a handle that was opened for overlapped ones. Where it is still under way when
/// this object ends it is called off first: the system writes into this object and the buffer.
class operation {
public:
    operation() noexcept = default;
    operation(const operation&) = delete;
    operation& operator=(const operation&) = delete;
    ~operation() { call_off(); }

    /// Ready once the operation has ended.
    native_handle event() const noexcept { return event_.get(); }
    /// Whether one was started and its end not yet asked for.
    bool under_way() const noexcept { return file_ != no_handle; }

    std::error_code read(native_handle from, std::span<std::byte> into) noexcept {
        state_ = {};
        return start(from, [&](api::handle_value file, ::_OVERLAPPED* state) {
            return api::ReadFile(file, into.data(), length(into.size()), nullptr, state);
        });
    }
    /// To the end of a file, such as standard error may be; a pipe has no places.
    std::error_code write(native_handle to, std::span<const std::byte> from) noexcept {
        constexpr std::uint32_t at_end = 0xFFFFFFFF;
        state_ = {};
        state_.offset = at_end;
        state_.offset_high = at_end;
        return start(to, [&](api::handle_value file, ::_OVERLAPPED* state) {
            return api::WriteFile(file, from.data(), length(from.size()), nullptr, state);
        });
    }

    /// Waits for its end; `count` is how many bytes were read or written.
    std::error_code finish(std::size_t& count) noexcept {
        api::dword bytes = 0;
        const native_handle file = std::exchange(file_, no_handle);
        const int done = api::GetOverlappedResult(to_system(file), state_.get(), &bytes, 1);
        const auto ec = error_unless(done);
        count = bytes;
        return ec;
    }

    /// Asks the system to end it, which it may have done already; finish() tells.
    void cancel() noexcept {
        api::CancelIoEx(to_system(file_), state_.get());  // Fails only if it has ended.
    }

    void call_off() noexcept {
        if (!under_way())
            return;
        cancel();
        std::size_t ignored = 0;
        finish(ignored);
    }

private:
    /// What ends at once, however, is under way all the same: finish() tells how.
    template <class Call>
    std::error_code start(native_handle file, Call call) noexcept {
        if (!event_)
            if (const auto ec = create_event(event_))
                return ec;
        state_.event = to_system(event_.get());
        if (call(to_system(file), state_.get()) == 0) {
            const api::dword error = api::GetLastError();
            if (error != api::error_io_pending && error != api::error_more_data)
                return error_of(error);
        }
        file_ = file;
        return {};
    }

    static api::dword length(std::size_t bytes) noexcept {
        constexpr std::size_t most = 1U << 30;
        return static_cast<api::dword>(bytes < most ? bytes : most);
    }

    native_handle file_ = no_handle;
    handle event_;
    api::overlapped state_;
};

}  // namespace multiprocessing::detail::windows
