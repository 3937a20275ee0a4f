// SPDX-License-Identifier: MIT
// Waiting for handles: one, some, or more than the system takes in one call.
#pragma once

#include <atomic>
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

namespace multiprocessing::detail::windows {

/// What is left, for functions that take milliseconds: rounded up, so that the time has passed when
/// they say so. Longer waits than a month come in pieces; ask the deadline.
inline api::dword milliseconds(const deadline& until) noexcept {
    constexpr long long most = 0x7FFFFFFF;
    const auto left = until.remaining();
    if (!left)
        return api::infinite;
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
    return static_cast<api::dword>(count < most ? count : most);
}

/// Waits by `wait(milliseconds)` until it returns something else than that the time has passed, or
/// it really has.
template <class Wait>
api::dword wait_until(const deadline& until, Wait wait) noexcept {
    for (;;) {
        const api::dword result = wait(milliseconds(until));
        if (result != api::wait_timed_out || until.passed())
            return result;
    }
}

inline std::error_code wait_for(native_handle object, const deadline& until, bool& ready) noexcept {
    const api::dword result = wait_until(until, [object](api::dword limit) {
        return api::WaitForSingleObject(to_system(object), limit);
    });
    ready = result != api::wait_timed_out && result != api::wait_failed;
    return result == api::wait_failed ? last_error() : std::error_code();
}

/// The system's threads wait, each for as many objects as it can, and set one event.
class crowd_wait {
public:
    crowd_wait() = default;
    crowd_wait(const crowd_wait&) = delete;
    crowd_wait& operator=(const crowd_wait&) = delete;
    ~crowd_wait() {
        const api::handle_value until_callbacks_end = to_system(no_handle);
        for (std::size_t i = 0; i < registered_; ++i)
            api::UnregisterWaitEx(members_[i].wait, until_callbacks_end);
    }

    std::error_code start(std::span<const native_handle> objects) {
        constexpr unsigned long once = 8;
        if (const auto ec = create_event(someone_))
            return ec;
        members_ = std::make_unique<member[]>(objects.size());
        for (const native_handle object : objects) {
            member& one = members_[registered_];
            one.event = to_system(someone_.get());
            if (api::RegisterWaitForSingleObject(&one.wait, to_system(object), &note, &one,
                                                 api::infinite, once) == 0)
                return last_error();
            ++registered_;
        }
        return {};
    }

    /// Set when one of the objects is ready.
    native_handle event() const noexcept { return someone_.get(); }

    /// The places of those that were ready.
    void look(std::vector<std::size_t>& ready) const {
        for (std::size_t i = 0; i < registered_; ++i)
            // Pairs with the release in note(); the event orders them as well.
            if (members_[i].ready.load(std::memory_order_acquire))
                ready.push_back(i);
    }

private:
    struct member {
        api::handle_value wait = nullptr;
        api::handle_value event = nullptr;
        std::atomic<bool> ready{false};
    };

    static void __stdcall note(void* of, unsigned char) {
        auto& one = *static_cast<member*>(of);
        one.ready.store(true, std::memory_order_release);
        api::SetEvent(one.event);
    }

    handle someone_;
    std::unique_ptr<member[]> members_;
    std::size_t registered_ = 0;
};

/// Waits until at least one object is signalled; `ready` gets the places of one or more that are,
/// of none if the time has passed. An event that resets itself is reset only if it is named.
inline std::error_code wait_for_any(std::span<const native_handle> objects, const deadline& until,
                                    std::vector<std::size_t>& ready) {
    if (objects.empty()) {
        wait_until(until, [](api::dword limit) {
            api::Sleep(limit);
            return api::wait_timed_out;
        });
        return {};
    }
    if (objects.size() > api::most_wait_objects) {
        crowd_wait crowd;
        bool any = false;
        if (const auto ec = crowd.start(objects))
            return ec;
        const auto ec = wait_for(crowd.event(), until, any);
        if (any)
            crowd.look(ready);
        return ec;
    }
    static_assert(sizeof(native_handle) == sizeof(api::handle_value));
    api::handle_value handles[api::most_wait_objects];
    for (std::size_t i = 0; i < objects.size(); ++i)
        handles[i] = to_system(objects[i]);
    const auto count = static_cast<api::dword>(objects.size());
    const api::dword result = wait_until(until, [&](api::dword limit) {
        return api::WaitForMultipleObjects(count, handles, 0, limit);
    });
    if (result == api::wait_failed)
        return last_error();
    if (result != api::wait_timed_out)
        ready.push_back(result % api::wait_abandoned);
    return {};
}

}  // namespace multiprocessing::detail::windows
