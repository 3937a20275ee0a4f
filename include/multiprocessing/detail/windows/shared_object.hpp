// SPDX-License-Identifier: MIT
// Kernel objects that belong to words in shared memory: whoever maps the word can find them.
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/random.hpp>

namespace multiprocessing::detail::windows {

// WaitOnAddress does not reach other processes, so who sleeps for another process sleeps on a
// kernel object. The memory holds a random name, and each process opens the object by it when it
// first has to sleep or wake. Nobody has to make it, or to be there: the first that asks makes it,
// the object goes with its last handle, and an event that has gone had no sleeper.

/// A name in shared memory, 128 random bits; zero until somebody needs it.
class shared_name {
public:
    std::error_code settle() noexcept {
        for (auto& part : parts_) {
            std::uint64_t made = 0;
            // Relaxed everywhere: the number is all there is to see. Whoever comes first settles
            // it; a name half of each of two processes is as good as any.
            std::uint64_t none = part.load(std::memory_order_relaxed);
            while (none == 0 && made == 0)
                if (const auto ec = random_bytes(&made, sizeof made))
                    return ec;
            if (none == 0)
                part.compare_exchange_strong(none, made, std::memory_order_relaxed);
        }
        return {};
    }
    object_name with_prefix(const wchar_t* prefix) const noexcept {
        return {prefix, parts_[0].load(std::memory_order_relaxed),
                parts_[1].load(std::memory_order_relaxed)};
    }

private:
    std::atomic<std::uint64_t> parts_[2];
};

/// This process' handle of such an object, opened when first asked for. Thread-safe.
class shared_object {
public:
    shared_object() noexcept = default;
    shared_object(const shared_object&) = delete;
    shared_object& operator=(const shared_object&) = delete;
    ~shared_object() { handle(object_.load(std::memory_order_relaxed)); }

    /// An event that wakes one sleeper and resets itself.
    std::error_code event(shared_name& name, native_handle& object) noexcept {
        return find(name, object, [&name] {
            return api::CreateEventW(nullptr, 0, 0,
                                     name.with_prefix(L"Local\\multiprocessing-event-").text);
        });
    }
    std::error_code mutex(shared_name& name, native_handle& object) noexcept {
        return find(name, object, [&name] {
            return api::CreateMutexW(nullptr, 0,
                                     name.with_prefix(L"Local\\multiprocessing-mutex-").text);
        });
    }

    /// Wakes who sleeps on the event. Whoever does so opened it, so it can be opened here, unless
    /// the system is out of resources at the moment: then this waits for some.
    void wake(shared_name& name) noexcept {
        constexpr int most_attempts = 1000;
        for (int attempt = 0; attempt < most_attempts; ++attempt) {
            native_handle object = no_handle;
            if (!event(name, object)) {
                api::SetEvent(to_system(object));  // It is an event, and may be set.
                return;
            }
            api::Sleep(1);
        }
    }

private:
    template <class Make>
    std::error_code find(shared_name& name, native_handle& object, Make make) noexcept {
        object = object_.load(std::memory_order_acquire);
        if (object != no_handle)
            return {};
        handle made;
        if (const auto ec = name.settle())
            return ec;
        if (const auto ec = take_over(make(), made))
            return ec;
        if (object_.compare_exchange_strong(object, made.get(), std::memory_order_acq_rel))
            object = made.release();
        return {};  // Else another thread was first; its handle is as good.
    }

    std::atomic<native_handle> object_{no_handle};
};

}  // namespace multiprocessing::detail::windows
