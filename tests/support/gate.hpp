// SPDX-License-Identifier: MIT
// A pipe between a test and the processes it starts: words one way, and the wait for the last
// writer.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>

namespace support {

namespace mpd = multiprocessing::detail;

struct gate {
    gate() { mpd::throw_if_error(mpd::open_pipe(ends), "open a pipe"); }

    mpd::handle writer() {
        mpd::handle copy;
        mpd::throw_if_error(mpd::duplicate(ends.writer.get(), copy), "duplicate");
        return copy;
    }
    mpd::handle reader() {
        mpd::handle copy;
        mpd::throw_if_error(mpd::duplicate(ends.reader.get(), copy), "duplicate");
        return copy;
    }

    /// Lets one process through that waits in `wait_for_end`. To close the writing end would not
    /// do: a forked child has it too.
    void open() const;

    mpd::pipe_ends ends;
};

inline void write_raw(mpd::native_handle to, std::string_view words) {
    mpd::throw_if_error(mpd::write_all(to, std::as_bytes(std::span(words))), "write");
}

/// Waits until so many bytes have come; fewer at the end of file.
inline std::string read_exactly(mpd::native_handle from, std::size_t bytes) {
    std::string text(bytes, '\0');
    std::size_t have = 0;
    for (std::size_t count = 1; count > 0 && have < bytes; have += count)
        mpd::throw_if_error(
            mpd::read_some(from, std::as_writable_bytes(std::span(text)).subspan(have), count),
            "read");
    text.resize(have);
    return text;
}

inline void say(const mpd::handle& to, std::string_view words) {
    write_raw(to.get(), words);
}

/// Waits for words; empty where the other end is closed.
inline std::string hear(const mpd::handle& from) {
    std::byte buffer[512];
    std::size_t count = 0;
    mpd::throw_if_error(mpd::read_some(from.get(), buffer, count), "read");
    return {reinterpret_cast<const char*>(buffer), count};
}

inline void gate::open() const {
    say(ends.writer, ".");
}

/// A target that runs until the test opens the gate.
inline void wait_for_end(const mpd::handle& from) {
    std::byte word[1];
    std::size_t count = 0;
    mpd::throw_if_error(mpd::read_some(from.get(), word, count), "read");
}

}  // namespace support
