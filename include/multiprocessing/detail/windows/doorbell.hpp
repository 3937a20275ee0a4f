// SPDX-License-Identifier: MIT
// Windows backend of detail/os/doorbell.hpp: an event, and the wait for it and others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/ready.hpp>

namespace multiprocessing::detail::windows {

class doorbell {
public:
    doorbell() noexcept = default;
    explicit doorbell(handle owner) noexcept : event_(std::move(owner)) {}

    static std::error_code create(doorbell& bell) noexcept { return create_event(bell.event_); }

    native_handle native() const noexcept { return event_.get(); }

    std::error_code ring() noexcept { return error_unless(api::SetEvent(to_system(event_.get()))); }
    void silence() noexcept { api::ResetEvent(to_system(event_.get())); }  // Cannot fail on an event.

private:
    handle event_;
};

class wait_set {
public:
    static std::error_code create(wait_set& set) noexcept {
        set.objects_.clear();
        set.keys_.clear();
        return {};
    }

    std::error_code add(native_handle object, std::uint64_t key) {
        if (object == no_handle)
            return std::make_error_code(std::errc::bad_file_descriptor);
        if (std::find(objects_.begin(), objects_.end(), object) != objects_.end())
            return std::make_error_code(std::errc::file_exists);
        objects_.push_back(object);
        keys_.push_back(key);
        return {};
    }

    void remove(native_handle object) noexcept {
        const auto place = std::find(objects_.begin(), objects_.end(), object);
        if (place == objects_.end())
            return;
        keys_.erase(keys_.begin() + (place - objects_.begin()));
        objects_.erase(place);
    }

    std::error_code wait(const deadline& until, std::vector<std::uint64_t>& keys) {
        keys.clear();
        std::vector<std::size_t> places;
        const auto ec = wait_ready(objects_, until, places);
        for (const std::size_t place : places)
            keys.push_back(keys_[place]);
        return ec;
    }

private:
    std::vector<native_handle> objects_;
    std::vector<std::uint64_t> keys_;
};

}  // namespace multiprocessing::detail::windows
