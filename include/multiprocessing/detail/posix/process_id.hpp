// SPDX-License-Identifier: MIT
// The number of this process, without asking the system each time.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

/// A page that a child gets wiped, however it was copied from this process; null where the system
/// has none (Linux before 4.14, some emulators).
inline std::atomic<::pid_t>* make_wiped_page() noexcept {
#if defined(MADV_WIPEONFORK)
    constexpr std::size_t bytes = 1;  // The system rounds up.
    void* const page =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return nullptr;
    if (::madvise(page, bytes, MADV_WIPEONFORK) == 0)
        return new (page) std::atomic<::pid_t>(0);
    ::munmap(page, bytes);
#endif
    return nullptr;
}

/// Made before main; null until then. Not in the function: a child that is copied while another
/// thread is the first to be there would wait for that one for ever.
inline std::atomic<::pid_t>* const own_id_page = make_wiped_page();

/// Each call on a pool asks whether it is this process' own: the system's answer takes as long as a
/// tenth of a short task, five times that for a caller that has slept. Of all threads that ask first
/// each writes the same; a wiped page is empty. Not for a child that shares this process' memory.
inline int process_id() noexcept {
    std::atomic<::pid_t>* const kept = own_id_page;
    if (kept == nullptr)
        return ::getpid();
    ::pid_t number = kept->load(std::memory_order_relaxed);
    if (number == 0) {
        number = ::getpid();
        kept->store(number, std::memory_order_relaxed);
    }
    return number;
}

}  // namespace multiprocessing::detail::posix
