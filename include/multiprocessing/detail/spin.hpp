// SPDX-License-Identifier: MIT
// A short wait that does not sleep, for what another processor is about to do.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/system.hpp>

namespace multiprocessing::detail {

/// Turns to look before going to sleep: a sleep and wake-up cost tens of microseconds, a turn some
/// hundredths. None where there is only one processor: the other side could not run meanwhile.
inline int spin_turns() noexcept {
    static const int turns = affinity_cpus() > 1 ? 200 : 0;
    return turns;
}

/// Looks for a short while; returns whether `condition` came true. With a `gap` it looks only every
/// so many turns: each look takes the line away from the processor that is writing there.
template <class Condition>
bool spin_until(Condition condition, int gap = 1) {
    for (int turn = spin_turns(); turn > 0; turn -= gap) {
        if (condition())
            return true;
        for (int i = 0; i < gap; ++i)
            MULTIPROCESSING_PAUSE();
    }
    return false;
}

}  // namespace multiprocessing::detail
