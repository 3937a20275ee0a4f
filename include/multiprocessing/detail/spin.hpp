// SPDX-License-Identifier: MIT
// A short wait that does not sleep, for what another processor is about to do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/system.hpp>

namespace multiprocessing::detail {

/// Where there is only one processor the other side could not run meanwhile.
inline bool may_spin() noexcept {
    // Not a static of the value: see first_use. Of threads that ask first each finds the same.
    static constinit std::atomic<int> processors{-1};
    int known = processors.load(std::memory_order_relaxed);
    if (known < 0) {
        known = affinity_cpus();
        processors.store(known, std::memory_order_relaxed);
    }
    return known > 1;
}

/// What it costs to sleep and be woken: to look for so long, and in vain, at most doubles it. The
/// short one is what a process on the other processor that is awake needs; the long one what it
/// takes to wake one, most of all on virtual machines.
inline constexpr std::chrono::microseconds short_look{4};
inline constexpr std::chrono::microseconds long_look{60};

/// Looks for so long; returns whether `condition` came true. Between two looks it pauses `gap`
/// times: each takes the line away from the processor that is writing there. Now and then it lets
/// others run: the process that it waits for may have been woken on this very processor.
template <class Condition>
bool spin_until(Condition condition, std::chrono::nanoseconds longest, int gap = 1) {
    using clock = std::chrono::steady_clock;
    constexpr int pauses_between_yields = 32;
    if (!may_spin())
        return false;
    const auto end = clock::now() + longest;
    do {
        for (int pause = 0; pause < pauses_between_yields; pause += gap) {
            if (condition())
                return true;
            for (int i = 0; i < gap; ++i)
                MULTIPROCESSING_PAUSE();
        }
        std::this_thread::yield();
    } while (clock::now() < end);
    return condition();
}

/// When one that waits again and again lets others run meanwhile. A yield costs as much as a short
/// task: where the one that it waits for runs on another processor it is in the way of seeing what
/// that one has done, and where both share a processor it is all there is to wait for.
class yield_pace {
public:
    /// Pauses, at most, before it asks whether to yield, and the time that has to pass between two
    /// yields.
    int pauses() const noexcept {
        if (other_ == place::unknown)
            return 32;
        return other_ == place::elsewhere || in_a_row_ % waits_between_doubts == 0 ? 64 : 8;
    }
    std::chrono::microseconds time() const noexcept {
        return std::chrono::microseconds(other_ == place::elsewhere ? 3 : 0);
    }

    /// What is waited for was not there before a yield and is behind it.
    void came_with_a_yield() noexcept {
        if (++in_a_row_ >= enough_in_a_row)
            other_ = place::here;
    }
    /// It came while this processor was looking.
    void came_meanwhile() noexcept {
        in_a_row_ = 0;
        other_ = place::elsewhere;
    }
    void came_not() noexcept { in_a_row_ = 0; }

private:
    /// The processor of the one that is waited for.
    enum class place { unknown, here, elsewhere };
    // One may also come by chance, from elsewhere, while a yield lasts.
    static constexpr std::uint32_t enough_in_a_row = 4;
    // In a stream from elsewhere something has always come when a yield is over: what is believed to
    // be here is looked for, now and then, as if it were not.
    static constexpr std::uint32_t waits_between_doubts = 16;

    std::uint32_t in_a_row_ = 0;
    place other_ = place::unknown;
};

/// How long one that waits again and again looks before it sleeps. Two that hand each other short
/// work and both sleep meanwhile would do so for ever, since each takes longer to wake than the
/// other looks: so whoever was woken soon looks longer the next time, and one whose sleep was long
/// does not waste the time of others. Owned by one thread.
///
/// Who was just woken has often been put on the processor of who woke it, and one of the two waits
/// for the other to let go of it: so the first look behind a sleep, of either, lets others run at
/// once.
class patience {
public:
    template <class Condition>
    bool spin(Condition condition, int gap = 1) {
        using clock = std::chrono::steady_clock;
        const bool others_first = lets_others_first();
        if (!may_spin())
            return false;
        if (condition())
            return true;
        if (others_first) {
            std::this_thread::yield();
            if (condition())
                return true;
        }
        auto yielded = clock::now();
        const auto end = yielded + (woken_soon_ ? long_look : short_look);
        for (;;) {
            if (looks(condition, gap)) {
                pace_.came_meanwhile();
                return true;
            }
            const auto now = clock::now();
            if (now < end && now - yielded < pace_.time())
                continue;
            std::this_thread::yield();  // Once at least: the other may have come to this processor.
            if (condition()) {
                pace_.came_with_a_yield();
                return true;
            }
            if (now >= end) {
                pace_.came_not();
                return false;
            }
            yielded = now;
        }
    }

    /// The one that is waited for was asleep, and has been woken.
    void has_woken() noexcept { just_woken_ = true; }
    /// Whether the look that begins now is the first one behind a sleep.
    bool lets_others_first() noexcept { return std::exchange(just_woken_, false); }

    /// A sleep, while it lasts.
    class sleep {
    public:
        explicit sleep(patience& of) noexcept : of_(of), since_(clock::now()) {}
        sleep(const sleep&) = delete;
        sleep& operator=(const sleep&) = delete;
        ~sleep() {
            of_.woken_soon_ = clock::now() - since_ < 2 * long_look;
            of_.just_woken_ = true;
        }

    private:
        using clock = std::chrono::steady_clock;
        patience& of_;
        clock::time_point since_;
    };

private:
    template <class Condition>
    bool looks(Condition& condition, int gap) {
        const int pauses = pace_.pauses();
        if (gap > pauses)
            gap = pauses;
        for (int pause = 0; pause < pauses; pause += gap) {
            for (int i = 0; i < gap; ++i)
                MULTIPROCESSING_PAUSE();
            if (condition())
                return true;
        }
        return false;
    }

    yield_pace pace_;
    bool woken_soon_ = false;
    /// This side or the other, since the last look.
    bool just_woken_ = false;
};

}  // namespace multiprocessing::detail
