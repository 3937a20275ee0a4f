// SPDX-License-Identifier: MIT
// Standard output and error, flushed where a process splits or ends.
#pragma once

#include <cstdio>
#include <iostream>
#include <streambuf>

#include <multiprocessing/detail/os/streams.hpp>

namespace multiprocessing::detail {

// What holds nothing is not flushed: that would write to it all the same, to its lock, and each
// page that a process writes to between two forks is copied once more.

/// Asks the buffer, not the stream: that the output cannot be written is for the user to hear from
/// the next operation of his own, and no reason not to start a process.
inline void flush_stream(std::ostream& stream) noexcept {
    try {
        std::streambuf* const buffer = stream.rdbuf();
        if (buffer != nullptr && !passes_on_to_c(*buffer))
            buffer->pubsync();
    } catch (...) {  // A buffer of the user's: see above.
    }
}

/// Writes out what C's and C++'s standard output and error hold. Other files are left alone: a
/// reader may hold their lock for as long as it likes.
inline void flush_streams() noexcept {
    flush_stream(std::cout);
    flush_stream(std::cerr);
    flush_stream(std::clog);
    for (std::FILE* const file : {stdout, stderr})
        if (holds_output(file))
            std::fflush(file);
}

/// Forgets what `std::cin` has read ahead. Where it shares C's buffer it holds nothing itself.
inline void drop_input() noexcept {
    try {
        std::streambuf* const buffer = std::cin.rdbuf();
        if (buffer == nullptr || passes_on_to_c(*buffer))
            return;
        if (const auto ahead = buffer->in_avail(); ahead > 0)
            std::cin.ignore(ahead);
    } catch (...) {  // A stream set to throw: there is nothing more to forget.
    }
}

}  // namespace multiprocessing::detail
