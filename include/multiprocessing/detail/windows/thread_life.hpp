// SPDX-License-Identifier: MIT
// A name for a thread by which every process can tell whether it lives.
#pragma once

#include <cstdint>
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
        life = current().number;
        return life != 0 ? std::error_code() : begin(life);
    }

private:
    // What outlives the objects of a thread, and can be asked for while they are destroyed.
    struct record {
        std::uint64_t number;
        native_handle mutex;
    };
    struct end_with_thread {
        ~end_with_thread() {
            record& life = current();
            api::ReleaseMutex(to_system(life.mutex));  // This thread owns it.
            handle(life.mutex).reset();
            life = {0, no_handle};
        }
    };

    static record& current() noexcept {
        thread_local record life{0, no_handle};
        return life;
    }

    static std::error_code begin(std::uint64_t& life) noexcept {
        for (;;) {
            if (const auto ec = random_bytes(&life, sizeof life))
                return ec;
            life &= ~std::uint64_t{1};
            handle mutex(from_system(api::CreateMutexW(nullptr, 1, life_name(life).text)));
            const api::dword error = api::GetLastError();
            if (!mutex)
                return error_of(error);
            if (life != 0 && error != api::error_already_exists)
                return keep(life, std::move(mutex));
        }
    }
    static std::error_code keep(std::uint64_t life, handle mutex) noexcept {
        current() = {life, mutex.release()};
        thread_local const end_with_thread end;
        static_cast<void>(end);
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
