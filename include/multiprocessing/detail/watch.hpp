// SPDX-License-Identifier: MIT
// For how long a pool's own thread looks whether others still come for their work.
#pragma once

#include <chrono>
#include <cstdint>

#include <multiprocessing/detail/algorithm.hpp>

namespace multiprocessing::detail {

/// A thread that comes back within this time is not relieved of its work: to call the pool's thread
/// to it and to take it back would cost more than most tasks.
///
/// Each end of a watch takes a processor from the thread and the worker that are at work, and puts
/// one of them on the processor of the other: of tasks of a microsecond, one at a time, it made some
/// twice as slow. So a watch is longer where threads come time and again. The work that one leaves
/// behind then is taken up when a watch has passed in which nobody came: within twice the longest.
class watch {
public:
    std::chrono::milliseconds time() const noexcept { return time_; }

    /// A watch has ended in which threads came so many times.
    void ended(std::uint64_t visits) noexcept {
        const bool often = visits >= often_per_ms * static_cast<std::uint64_t>(time_.count());
        time_ = often ? smaller_of(2 * time_, longest) : shortest;
    }

private:
    static constexpr std::chrono::milliseconds shortest{1};
    static constexpr std::chrono::milliseconds longest{4};
    // Of fewer and longer tasks each takes more than the end of a watch costs.
    static constexpr std::uint64_t often_per_ms = 50;

    std::chrono::milliseconds time_ = shortest;
};

}  // namespace multiprocessing::detail
