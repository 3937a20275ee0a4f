// SPDX-License-Identifier: MIT
// Windows backend of detail/os/handle.hpp: waiting until reading would not block.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/overlapped.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

// Processes, events and consoles are signalled when they are ready; pipes are not. A read of no
// bytes from a pipe ends when there is something to read or the other end is gone, and takes
// nothing away. That needs a pipe opened for overlapped operations, as all are that the library
// reads from; of one that is not, such as a program's own standard input, such a read could not be
// called off, and it is looked at again and again.

/// Whether a handle was opened for one operation at a time, each of which blocks.
inline bool is_synchronous(native_handle file) noexcept {
    struct status_block {
        std::uintptr_t status;
        std::uintptr_t information;
    };
    using query = long __stdcall(api::handle_value, status_block*, void*, unsigned long, int);
    static query* const ask = api::find_function<query>(L"ntdll.dll", "NtQueryInformationFile");
    constexpr int mode_information = 16;
    constexpr unsigned long synchronous = 0x30;
    unsigned long mode = 0;
    status_block status{};
    return ask == nullptr ||
           ask(to_system(file), &status, &mode, sizeof mode, mode_information) < 0 ||
           (mode & synchronous) != 0;
}

inline bool is_pipe(native_handle object) noexcept {
    constexpr api::dword pipe_type = 3;
    return api::GetFileType(to_system(object)) == pipe_type;
}

/// The wait for one object among others.
class watched_object {
public:
    explicit watched_object(native_handle object) noexcept : object_(object) {}
    watched_object(watched_object&&) = default;

    /// After this it is ready, has an event to wait for, or is to be looked at again.
    std::error_code start() {
        if (object_ == no_handle)
            return std::make_error_code(std::errc::bad_file_descriptor);
        if (!is_pipe(object_))
            return look_at(object_);
        if (const auto ec = look_at_pipe(); ec || ready_)
            return ec;
        if (!is_synchronous(object_)) {
            read_ = std::make_unique<operation>();
            ready_ = static_cast<bool>(read_->read(object_, {}));
        }
        return {};
    }

    bool ready() const noexcept { return ready_; }
    /// What becomes signalled, or `no_handle` where nothing does.
    native_handle signal() const noexcept {
        return read_ ? read_->event() : is_pipe_ ? no_handle : object_;
    }
    void note_signal() noexcept { ready_ = true; }

    std::error_code look_again() noexcept {
        if (ready_)
            return {};
        if (read_)
            return look_at(read_->event());
        return is_pipe_ ? look_at_pipe() : look_at(object_);
    }

private:
    std::error_code look_at(native_handle object) noexcept {
        return wait_for(object, deadline::now(), ready_);
    }

    std::error_code look_at_pipe() noexcept {
        is_pipe_ = true;
        api::dword available = 0;
        if (api::PeekNamedPipe(to_system(object_), nullptr, 0, nullptr, &available, nullptr) != 0) {
            ready_ = available != 0;
            return {};
        }
        const auto ec = last_error();
        ready_ = ec == std::errc::broken_pipe;
        return ready_ ? std::error_code() : ec;
    }

    native_handle object_;
    bool is_pipe_ = false;
    bool ready_ = false;
    std::unique_ptr<operation> read_;
};

class object_watch {
public:
    std::error_code start(std::span<const native_handle> objects) {
        objects_.reserve(objects.size());
        for (const native_handle object : objects) {
            objects_.emplace_back(object);
            if (const auto ec = objects_.back().start())
                return ec;
        }
        for (std::size_t i = 0; i < objects_.size(); ++i) {
            any_ready_ = any_ready_ || objects_[i].ready();
            if (const native_handle signal = objects_[i].signal(); signal != no_handle) {
                signals_.push_back(signal);
                places_.push_back(i);
            }
        }
        return {};
    }

    std::error_code wait(const deadline& until, std::vector<std::size_t>& ready) {
        while (!any_ready_ && !(until.passed() && looked_)) {
            if (const auto ec = sleep(until))
                return ec;
            looked_ = true;
            if (const auto ec = look())
                return ec;
        }
        for (std::size_t i = 0; i < objects_.size(); ++i)
            if (objects_[i].ready())
                ready.push_back(i);
        return {};
    }

private:
    std::error_code sleep(const deadline& until) {
        constexpr std::chrono::milliseconds between_looks{10};
        const bool all_signal = signals_.size() == objects_.size();
        const auto look_again = deadline::after(between_looks);
        const bool shortly =
            !all_signal && (until.is_never() || until.moment() > look_again.moment());
        std::vector<std::size_t> signalled;
        const auto ec = wait_for_any(signals_, shortly ? look_again : until, signalled);
        for (const std::size_t place : signalled)
            objects_[places_[place]].note_signal();
        return ec;
    }

    std::error_code look() noexcept {
        for (watched_object& object : objects_) {
            if (const auto ec = object.look_again())
                return ec;
            any_ready_ = any_ready_ || object.ready();
        }
        return {};
    }

    std::vector<watched_object> objects_;
    std::vector<native_handle> signals_;
    std::vector<std::size_t> places_;
    bool any_ready_ = false;
    bool looked_ = false;
};

inline std::error_code wait_ready(std::span<const native_handle> objects, const deadline& until,
                                  std::vector<std::size_t>& ready) {
    ready.clear();
    for (const native_handle object : objects)
        if (object == no_handle)
            return std::make_error_code(std::errc::bad_file_descriptor);
    object_watch watch;
    if (const auto ec = watch.start(objects))
        return ec;
    return watch.wait(until, ready);
}

inline std::error_code wait_ready(native_handle object, const deadline& until, bool& ready) {
    if (object != no_handle && !is_pipe(object))
        return wait_for(object, until, ready);
    std::vector<std::size_t> places;
    const auto ec = wait_ready({&object, 1}, until, places);
    ready = !places.empty();
    return ec;
}

}  // namespace multiprocessing::detail::windows
