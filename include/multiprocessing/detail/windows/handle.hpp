// SPDX-License-Identifier: MIT
// Windows backend of detail/os/handle.hpp: kernel handles, never inherited unless a launch lends
// them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>

#include <io.h>

namespace multiprocessing::detail::windows {

/// The value of a HANDLE, as a number: it travels in messages and on command lines.
using native_handle = std::intptr_t;
inline constexpr native_handle no_handle = -1;

inline api::handle_value to_system(native_handle object) noexcept {
    return reinterpret_cast<api::handle_value>(object);
}

/// Some functions answer null where they fail, others INVALID_HANDLE_VALUE, which is -1.
inline native_handle from_system(api::handle_value object) noexcept {
    return object == nullptr ? no_handle : reinterpret_cast<native_handle>(object);
}

class handle {
public:
    handle() noexcept = default;
    explicit handle(native_handle object) noexcept : object_(object) {}
    handle(handle&& other) noexcept : object_(other.release()) {}
    handle& operator=(handle&& other) noexcept {
        if (this != &other)
            reset(other.release());
        return *this;
    }
    ~handle() { reset(); }

    native_handle get() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != no_handle; }
    native_handle release() noexcept { return std::exchange(object_, no_handle); }

    /// No process is a copy of another here.
    void share_with_forks() noexcept {}

    void reset(native_handle object = no_handle) noexcept {
        if (const native_handle old = std::exchange(object_, object); old != no_handle)
            api::CloseHandle(to_system(old));  // It fails only where another has closed it already.
    }

private:
    native_handle object_ = no_handle;
};

/// No process is a copy of another here.
inline void keep_from_forks(native_handle) noexcept {}
inline void give_to_forks(native_handle) noexcept {}

/// Takes over what a function of the system has made; an error if that is nothing.
inline std::error_code take_over(api::handle_value made, handle& owner) noexcept {
    const native_handle object = from_system(made);
    const auto ec = object == no_handle ? last_error() : std::error_code();
    owner.reset(object);
    return ec;
}

inline native_handle standard_stream(int which) noexcept {
    constexpr api::dword input = 0xFFFFFFF6;  // STD_INPUT_HANDLE is -10, output -11, error -12.
    return from_system(api::GetStdHandle(input - static_cast<api::dword>(which)));
}

inline native_handle file_handle(std::FILE* file) noexcept {
    constexpr std::intptr_t without_stream = -2;
    if (file == nullptr)
        return no_handle;
    const std::intptr_t object = ::_get_osfhandle(::_fileno(file));
    return object == without_stream ? no_handle : object;
}

/// -1 also is what stands for this process where a process is asked for: not here.
inline std::error_code duplicate(native_handle source, handle& copy) noexcept {
    constexpr api::dword same_access = 2;
    if (source == no_handle)
        return std::make_error_code(std::errc::bad_file_descriptor);
    const api::handle_value self = api::GetCurrentProcess();
    api::handle_value made = nullptr;
    const auto ec =
        error_unless(api::DuplicateHandle(self, to_system(source), self, &made, 0, 0, same_access));
    copy.reset(from_system(made));
    return ec;
}

inline constexpr api::dword inherit_flag = 1;

/// A handle that arrived by inheritance, which it is not to go on by.
inline std::error_code adopt(native_handle inherited, handle& owner) noexcept {
    if (inherited == no_handle)
        return std::make_error_code(std::errc::bad_file_descriptor);
    if (api::SetHandleInformation(to_system(inherited), inherit_flag, 0) == 0)
        return last_error();
    owner.reset(inherited);
    return {};
}

/// An event that stays set until it is reset.
inline std::error_code create_event(handle& event) noexcept {
    return take_over(api::CreateEventW(nullptr, 1, 0, nullptr), event);
}

}  // namespace multiprocessing::detail::windows
