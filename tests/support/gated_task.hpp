// SPDX-License-Identifier: MIT
// A task that says when it has begun and stays until it is let go: its worker's initializer keeps
// the ends of the two gates.
#pragma once

#include <utility>

#include "support/gate.hpp"

namespace support {

inline mpd::handle told_begun;
inline mpd::handle awaited_end;

inline void keep_ends(mpd::handle of_begun, mpd::handle of_end) {
    told_begun = std::move(of_begun);
    awaited_end = std::move(of_end);
}

inline int say_and_stay(int x) {
    say(told_begun, ".");
    wait_for_end(awaited_end);
    return x;
}

}  // namespace support
