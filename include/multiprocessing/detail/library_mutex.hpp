// SPDX-License-Identifier: MIT
// The lock of what a process has only once. A fork waits for it, so no child is born with it held.
#pragma once

#include <mutex>

namespace multiprocessing::detail {

/// Guards the tables of the library: callables, images, ties, children. Held for a look-up, never
/// during a wait; whoever holds it takes no other lock and calls no user's code.
inline std::mutex& library_mutex() {
    static std::mutex* const mutex = new std::mutex;  // Never destroyed: used until the very end.
    return *mutex;
}

}  // namespace multiprocessing::detail
