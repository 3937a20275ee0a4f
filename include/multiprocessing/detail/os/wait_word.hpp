// SPDX-License-Identifier: MIT
// Seam: a counter in shared memory that one side advances and the other can sleep on.
#pragma once

#include <concepts>
#include <cstdint>
#include <system_error>
#include <type_traits>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/wait_word.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/wait_word.hpp>
#endif

namespace multiprocessing::detail {

/// A process' view of a counter, which lives in a `cell` of shared memory that is zero at first. At
/// any moment at most one thread of all processes advances it and at most one sleeps on it; who
/// that is the owner of the memory settles.
///
/// `count()`, or `count(cell)`, is the number of steps so far, modulo 2^31; what the advancing side
/// wrote before is visible with it. `advance(steps)` moves it and wakes the sleeper: both happen or
/// neither, also if the process is killed meanwhile. It returns whether there was a sleeper, or the
/// mark of one that has gone. `wait(seen, until)` returns when the count is another than `seen` or
/// the time has passed; the caller asks count() which.
using backend::wait_word;

template <class Word>
concept wait_word_contract = std::copyable<Word> &&
    std::is_default_constructible_v<typename Word::cell> &&
    requires(Word word, const Word constant, typename Word::cell& cell,
             const typename Word::cell& seen, std::uint32_t steps, const deadline& until) {
    Word(cell);
    { Word::count(seen) }
    noexcept->std::same_as<std::uint32_t>;
    { constant.count() }
    noexcept->std::same_as<std::uint32_t>;
    { word.advance(steps) }
    noexcept->std::same_as<bool>;
    { word.wait(steps, until) }
    noexcept->std::same_as<std::error_code>;
};
static_assert(wait_word_contract<wait_word>);

}  // namespace multiprocessing::detail
