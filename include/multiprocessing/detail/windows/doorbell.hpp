// SPDX-License-Identifier: MIT
// Windows backend of detail/os/doorbell.hpp: an event, and the wait for it and others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/ready.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

class doorbell {
public:
    doorbell() noexcept = default;
    explicit doorbell(handle owner) noexcept : event_(std::move(owner)) {}

    static std::error_code create(doorbell& bell) noexcept { return create_event(bell.event_); }

    native_handle native() const noexcept { return event_.get(); }

    /// Asks whether it is an event that stays set; another such event under its number passes.
    std::error_code check() const noexcept {
        using query = long __stdcall(api::handle_value, int, void*, unsigned long, unsigned long*);
        static query* const ask = api::find_function<query>(L"ntdll.dll", "NtQueryEvent");
        struct {
            int resets_itself;
            long set;
        } basic{};
        const bool known = ask != nullptr && event_ &&
                           ask(to_system(event_.get()), 0, &basic, sizeof basic, nullptr) >= 0;
        return known && basic.resets_itself == 0
                   ? std::error_code()
                   : std::make_error_code(std::errc::bad_file_descriptor);
    }

    std::error_code ring() noexcept { return error_unless(api::SetEvent(to_system(event_.get()))); }
    void silence() noexcept {
        api::ResetEvent(to_system(event_.get()));
    }  // Cannot fail on an event.

private:
    handle event_;
};

// What signals by itself is waited for as it is. Of more than the system takes in one call the
// first are, and together with them an event for the rest, whose registered waits last from one
// wait to the next, until one of them has been heard or the set is another. With pipes in the set
// each wait begins anew.
class wait_set {
public:
    static std::error_code create(wait_set& set) noexcept {
        set = {};
        return {};
    }

    std::error_code add(native_handle object, std::uint64_t key) {
        bool unused = false;
        if (object == no_handle)
            return std::make_error_code(std::errc::bad_file_descriptor);
        if (detail::find(objects_.begin(), objects_.end(), object) != objects_.end())
            return std::make_error_code(std::errc::file_exists);
        const bool pipe = is_pipe(object);
        if (const auto ec = pipe ? std::error_code() : wait_for(object, deadline::now(), unused))
            return ec;
        objects_.push_back(object);
        keys_.push_back(key);
        pipes_ += pipe ? 1 : 0;
        rest_.reset();
        return {};
    }

    void remove(native_handle object) noexcept {
        const auto place = detail::find(objects_.begin(), objects_.end(), object);
        if (place == objects_.end())
            return;
        pipes_ -= is_pipe(object) ? 1 : 0;
        keys_.erase(keys_.begin() + (place - objects_.begin()));
        objects_.erase(place);
        rest_.reset();
    }

    std::error_code wait(const deadline& until, std::vector<std::uint64_t>& keys) {
        keys.clear();
        std::vector<std::size_t> places;
        const auto ec = pipes_ > 0 ? wait_ready(objects_, until, places) : wait_all(until, places);
        for (const std::size_t place : places)
            keys.push_back(keys_[place]);
        return ec;
    }

private:
    static constexpr std::size_t first_objects = api::most_wait_objects - 1;

    std::error_code wait_all(const deadline& until, std::vector<std::size_t>& ready) {
        if (objects_.size() <= api::most_wait_objects)
            return wait_for_all_ready(objects_, until, ready);
        const std::span<const native_handle> objects(objects_);
        if (const auto ec = watch_rest(objects.subspan(first_objects)))
            return ec;
        std::vector<native_handle> direct(objects.begin(), objects.begin() + first_objects);
        direct.push_back(rest_->event());
        if (const auto ec = wait_for_all_ready(direct, until, ready))
            return ec;
        if (ready.empty() || ready.back() != first_objects)
            return {};
        ready.pop_back();
        std::vector<std::size_t> places;
        rest_->look(places);
        rest_.reset();
        for (const std::size_t place : places)
            ready.push_back(first_objects + place);
        return {};
    }

    std::error_code watch_rest(std::span<const native_handle> objects) {
        if (rest_)
            return {};
        auto rest = std::make_unique<crowd_wait>();
        const auto ec = rest->start(objects);
        if (!ec)
            rest_ = std::move(rest);
        return ec;
    }

    /// The system names the first that is ready; one that always is must not hide the others.
    static std::error_code wait_for_all_ready(std::span<const native_handle> objects,
                                              const deadline& until,
                                              std::vector<std::size_t>& ready) {
        const auto ec = wait_for_any(objects, until, ready);
        if (ec || ready.empty())
            return ec;
        for (std::size_t i = ready.front() + 1; i < objects.size(); ++i) {
            bool is_ready = false;
            if (const auto failed = wait_for(objects[i], deadline::now(), is_ready))
                return failed;
            if (is_ready)
                ready.push_back(i);
        }
        return {};
    }

    std::vector<native_handle> objects_;
    std::vector<std::uint64_t> keys_;
    std::size_t pipes_ = 0;
    std::unique_ptr<crowd_wait> rest_;
};

}  // namespace multiprocessing::detail::windows
