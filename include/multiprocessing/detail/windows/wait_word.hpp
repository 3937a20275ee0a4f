// SPDX-License-Identifier: MIT
// Windows backend of detail/os/wait_word.hpp: a word in shared memory, and an event to sleep on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <system_error>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/shared_object.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

// The word is the count in its upper half, and in its lower half twice the number of times that a
// sleeper has got ready, plus one while there is a sleeper. The advancing side and the sleeper
// change it by compare-and-swap of the whole, so each fails where the other was first.
//
// No sleeper: advancing is one compare-and-swap, no system call. A sleeper: the event is set first
// and the count moved then, and only if the word is still the one that was seen before the event
// was set. Three things can happen:
// - the count moves: the sleeper had not got ready again since the event was set, so it either
//   still sleeps, and the event wakes it, or is awake and finds the new count;
// - the sleeper woke at once, found the old count and got ready again: the swap fails, and the
//   advancing side begins anew;
// - the advancing process is killed between the two: the sleeper was woken for nothing, finds the
//   old count and sleeps again.
// So the count never moves without the sleeper being woken, at whatever instruction somebody is
// killed. A sleeper that dies, or whose time runs out, leaves its bit: that costs the next advance
// a system call. One that died with the wake-up leaves the word as it was or as its successor makes
// it, who gets ready before it sleeps.
class wait_word {
public:
    struct cell {
        std::atomic<std::uint64_t> word;
        shared_name name;
    };
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

    wait_word() noexcept = default;
    explicit wait_word(cell& shared) : cell_(&shared), event_(std::make_shared<shared_object>()) {}

    /// Pairs with the release in advance(): what was written before the count moved is visible.
    static std::uint32_t count(const cell& shared) noexcept {
        return count_of(shared.word.load(std::memory_order_acquire));
    }
    std::uint32_t count() const noexcept { return count(*cell_); }
    /// Whether somebody has got ready to sleep since the count last moved.
    static bool has_sleeper(const cell& shared) noexcept {
        return (shared.word.load(std::memory_order_relaxed) & sleeper) != 0;
    }

    bool advance(std::uint32_t steps) noexcept {
        bool found_sleeper = false;
        std::uint64_t word = cell_->word.load(std::memory_order_relaxed);
        do {
            if ((word & sleeper) != 0) {
                event_->wake(cell_->name);
                found_sleeper = true;
            }
        } while (!cell_->word.compare_exchange_weak(
            word, advanced(word, steps), std::memory_order_release, std::memory_order_relaxed));
        return found_sleeper;
    }

    std::error_code wait(std::uint32_t seen, const deadline& until) noexcept {
        std::uint64_t word = cell_->word.load(std::memory_order_acquire);
        if (count_of(word) != seen || until.immediate())
            return {};
        native_handle event = no_handle;
        if (const auto ec = event_->event(cell_->name, event))
            return ec;
        bool woken = true;
        while (woken && count_of(word) == seen) {
            const std::uint64_t asleep = asleep_after(word);
            // Relaxed is enough: what is to be seen is seen with the count, by an acquire.
            if (!cell_->word.compare_exchange_weak(word, asleep, std::memory_order_relaxed))
                continue;
            if (const auto ec = wait_for(event, until, woken))
                return ec;
            word = await_step(asleep);
        }
        return {};
    }

private:
    static constexpr std::uint64_t sleeper = 1;

    static constexpr std::uint32_t count_of(std::uint64_t word) noexcept {
        return static_cast<std::uint32_t>(word >> 32);
    }
    static constexpr std::uint64_t advanced(std::uint64_t word, std::uint32_t steps) noexcept {
        const std::uint64_t count = (count_of(word) + steps) & 0x7FFFFFFFU;
        return count << 32 | (word & 0xFFFFFFFEU);
    }
    static constexpr std::uint64_t asleep_after(std::uint64_t word) noexcept {
        const std::uint64_t times = (word + 2) & 0xFFFFFFFEU;
        return std::uint64_t{count_of(word)} << 32 | times | sleeper;
    }

    /// Who has set the event is about to move the count: to get ready again at once would make it
    /// begin anew. It may need this processor to do so, and may have been killed.
    std::uint64_t await_step(std::uint64_t before) const noexcept {
        constexpr int spins = 100;
        constexpr int yields = 120;
        constexpr int sleeps = 122;
        for (int turn = 0;; ++turn) {
            const std::uint64_t word = cell_->word.load(std::memory_order_acquire);
            if (word != before || turn == sleeps)
                return word;
            if (turn < spins)
                MULTIPROCESSING_PAUSE();
            else if (turn < yields)
                api::SwitchToThread();  // Whether there was another does not matter.
            else
                api::Sleep(1);
        }
    }

    cell* cell_ = nullptr;
    std::shared_ptr<shared_object> event_;
};

}  // namespace multiprocessing::detail::windows
