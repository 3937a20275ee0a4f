// SPDX-License-Identifier: MIT
// A name for a thread by which every process can tell whether it lives.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/random.hpp>

namespace multiprocessing::detail::windows {

// Numbers of threads and processes are given again, so a number in shared memory does not tell who
// is meant. Instead each thread that takes a shared lock makes a kernel mutex of a random name, and
// owns it for as long as it lives. When it dies, of whatever cause, the system lets go of the
// mutex: who waits for it wakes, and where nobody had it open there is none by that name any more.

inline object_name life_name(std::uint64_t life) noexcept {
    return {L"Local\\multiprocessing-life-", life, 0};
}

class thread_life {
public:
    /// This thread's: an even number, never 0.
    static std::error_code mine(std::uint64_t& life) noexcept {
        const api::dword place = storage();
        if (const auto* const known = static_cast<const record*>(api::FlsGetValue(place))) {
            life = known->number;
            return {};
        }
        return begin(place, life);
    }

private:
    struct record {
        std::uint64_t number;
        handle mutex;
    };

    // The system's own storage, which calls back when a thread ends. Objects that are thread_local
    // are destroyed too late by MinGW: their memory is gone already.
    static api::dword storage() noexcept {
        static const api::dword place = [] {
            keep_loaded();
            return api::FlsAlloc(&end);
        }();
        return place;
    }
    /// What is called back must not be unloaded with a library.
    static void keep_loaded() noexcept {
        constexpr api::dword pin_by_address = 5;
        api::module_handle module{};
        api::GetModuleHandleExW(pin_by_address, reinterpret_cast<const wchar_t*>(&end), &module);
    }
    static void __stdcall end(void* data) {
        const std::unique_ptr<record> life(static_cast<record*>(data));
        if (life)
            api::ReleaseMutex(to_system(life->mutex.get()));  // This thread owns it.
    }

    static std::error_code begin(api::dword place, std::uint64_t& life) noexcept {
        std::unique_ptr<record> mine(new (std::nothrow) record);
        if (!mine)
            return std::make_error_code(std::errc::not_enough_memory);
        do {
            if (const auto ec = create(*mine))
                return ec;
        } while (!mine->mutex);
        life = mine->number;
        if (api::FlsSetValue(place, mine.get()) == 0)
            return last_error();
        mine.release();
        return {};
    }
    /// Leaves `mutex` empty where the number is another thread's.
    static std::error_code create(record& made) noexcept {
        if (const auto ec = random_bytes(&made.number, sizeof made.number))
            return ec;
        made.number &= ~std::uint64_t{1};
        handle mutex(from_system(api::CreateMutexW(nullptr, 1, life_name(made.number).text)));
        const api::dword error = api::GetLastError();
        if (!mutex)
            return error_of(error);
        if (made.number != 0 && error != api::error_already_exists)
            made.mutex = std::move(mutex);
        return {};
    }
};

/// Another thread's life, to be waited for.
class watched_life {
public:
    /// `lives` is false if it has ended; then there is nothing to wait for.
    std::error_code open(std::uint64_t life, bool& lives) noexcept {
        constexpr api::dword synchronize = 0x100000;
        constexpr api::dword modify = 1;
        mutex_.reset(from_system(api::OpenMutexW(synchronize | modify, 0, life_name(life).text)));
        lives = true;
        if (mutex_)
            return {};
        if (api::GetLastError() != api::error_file_not_found)
            return last_error();
        lives = false;
        return {};
    }

    native_handle native() const noexcept { return mutex_.get(); }
    /// After a wait has found it ended: then the waiting thread owns the mutex now.
    void let_go() noexcept { api::ReleaseMutex(to_system(mutex_.get())); }

private:
    handle mutex_;
};

}  // namespace multiprocessing::detail::windows
