// SPDX-License-Identifier: MIT
// Linux backend of detail/os/wait_word.hpp: a futex whose word is the counter itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <system_error>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

// The word is count * 2 + sleeper. Only the sleeper sets the lowest bit, only the advancing side
// clears it, by adding an odd number. So each knows what the other may do to the word:
// - no sleeper: advancing is one compare-and-swap, which fails if a sleeper came meanwhile;
// - a sleeper: FUTEX_WAKE_OP adds and wakes in one system call, which SIGKILL cannot cut in two.
// There is no instruction between "the count has moved" and "the sleeper is woken" at which the
// advancing process could die and leave the other asleep. A sleeper that dies, or whose time runs
// out, leaves its bit: that costs the next advance a system call, nothing else.
class wait_word {
public:
    using cell = std::atomic<std::uint32_t>;
    static_assert(cell::is_always_lock_free && sizeof(cell) == 4);

    wait_word() noexcept = default;
    explicit wait_word(cell& shared) noexcept : word_(&shared) {}

    /// Pairs with the release in advance(): what was written before the count moved is visible.
    static std::uint32_t count(const cell& shared) noexcept {
        return shared.load(std::memory_order_acquire) >> 1;
    }
    std::uint32_t count() const noexcept { return count(*word_); }

    bool advance(std::uint32_t steps) noexcept {
        for (bool found_sleeper = false;; found_sleeper = true) {
            std::uint32_t word = word_->load(std::memory_order_relaxed);
            if ((word & 1U) == 0 &&
                word_->compare_exchange_strong(word, word + 2 * steps, std::memory_order_release,
                                               std::memory_order_relaxed))
                return found_sleeper;
            if (steps <= most_steps_with_wake) {
                add_and_wake(static_cast<int>(2 * steps - 1));
                return true;
            }
            // Sends the sleeper for another look, so that the next turn finds none.
            add_and_wake(-1);
        }
    }

    std::error_code wait(std::uint32_t seen, const deadline& until) noexcept {
        for (;;) {
            std::uint32_t word = word_->load(std::memory_order_acquire);
            if (word >> 1 != seen || until.immediate())
                return {};
            const std::uint32_t asleep = word | 1U;
            // Relaxed is enough: the kernel compares the word again under its own lock.
            if (word != asleep &&
                !word_->compare_exchange_strong(word, asleep, std::memory_order_relaxed))
                continue;
            const int error = sleep_on(asleep, until);
            if (error == ETIMEDOUT)
                return {};
            if (error != 0 && error != EAGAIN && error != EINTR)
                return {error, std::system_category()};
        }
    }

private:
    // The kernel takes an operand of 12 signed bits. Larger steps are not cut into several: nobody
    // may see a count at which no message ends.
    static constexpr std::uint32_t most_steps_with_wake = 1000;

    // One sleeps, but another that was killed may still be in the kernel's list, in front of it:
    // the wake-up must not go to the dead alone.
    static constexpr int everyone = 0x7fffffff;

    void add_and_wake(int operand) noexcept {
        // A full fence before the kernel's own atomic add: releases what was written.
        std::atomic_thread_fence(std::memory_order_seq_cst);
        const auto never = 0;
        if (::syscall(SYS_futex, address(), FUTEX_WAKE_OP, everyone, 0, address(),
                      FUTEX_OP(FUTEX_OP_ADD, operand, FUTEX_OP_CMP_LT, never)) != -1)
            return;
        // A sandbox refuses the call: in two steps, with the moment between them that it avoids.
        word_->fetch_add(static_cast<std::uint32_t>(operand), std::memory_order_release);
        ::syscall(SYS_futex, address(), FUTEX_WAKE,
                  everyone);  // It fails where there is no sleeper either.
    }

    int sleep_on(std::uint32_t expected, const deadline& until) noexcept {
        const poll_timeout left(until);
        const auto result =
            ::syscall(SYS_futex, address(), FUTEX_WAIT, expected, left.get(), nullptr, 0);
        return result == 0 ? 0 : errno;
    }

    void* address() const noexcept { return word_; }

    cell* word_ = nullptr;
};

}  // namespace multiprocessing::detail::posix
