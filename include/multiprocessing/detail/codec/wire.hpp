// SPDX-License-Identifier: MIT
// The two writing passes of a message: a sizer that counts its bytes, a writer that puts them down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include <multiprocessing/config.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// How a type crosses; specialised for everything that can. A specialisation has
///
///     static constexpr std::size_t min_bytes;     // the fewest bytes a value can take
///     static void size(sizer&, const T&);         // adds what write() will write, exactly
///     static void write(writer&, const T&);
///     static T read(decoder&);                    // throws PicklingError
///
/// and, where it pays, `parts` (a type_list of what a value is made of, so that `sendable` looks
/// into it), `fixed` (every value takes min_bytes) and `bulk` (the bytes of the object are the
/// bytes of the message). Left undefined for what cannot cross.
template <class T>
struct codec;

/// A count is eight bytes. Four would do for nearly all, but then the elements of an array that is
/// a message of its own would not be aligned, and that array is read at the speed of a copy.
inline constexpr std::size_t count_bytes = sizeof(std::uint64_t);

/// Values nest through containers and pointers this deep and no deeper: a cycle of shared pointers
/// ends in an error at the sender, a hostile message cannot exhaust the receiver's stack.
inline constexpr std::size_t max_depth = 256;

[[noreturn]] MULTIPROCESSING_NOINLINE inline void throw_too_deep() {
    throw PicklingError("a value nests deeper than " + std::to_string(max_depth) + " levels");
}

template <class Word>
MULTIPROCESSING_INLINE void copy_word(std::byte* to, const std::byte* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof(Word));
    std::memcpy(to, &word, sizeof(Word));
}

// Not inlined: of a constant string GCC 12 would see how much is allocated for it, not that what is
// written stays within, and warn.
MULTIPROCESSING_NOINLINE inline void copy_long(std::byte* to, const void* from,
                                               std::size_t bytes) noexcept {
    std::memcpy(to, from, bytes);
}

// Most strings are short, and the call of memcpy costs more than the copy: the first and the last
// word, which may overlap, are all of it. Takes null where there are no bytes; memcpy may not.
MULTIPROCESSING_INLINE void copy_short(std::byte* to, const void* source,
                                       std::size_t bytes) noexcept {
    const auto* const from = static_cast<const std::byte*>(source);
    if (bytes > 16) {
        copy_long(to, from, bytes);
    } else if (bytes >= 8) {
        copy_word<std::uint64_t>(to, from);
        copy_word<std::uint64_t>(to + bytes - 8, from + bytes - 8);
    } else if (bytes >= 4) {
        copy_word<std::uint32_t>(to, from);
        copy_word<std::uint32_t>(to + bytes - 4, from + bytes - 4);
    } else if (bytes != 0) {
        to[0] = from[0];
        to[bytes / 2] = from[bytes / 2];
        to[bytes - 1] = from[bytes - 1];
    }
}

/// First pass: counts the bytes of a message.
class sizer {
public:
    void add(std::size_t bytes) noexcept { bytes_ += bytes; }
    void enter() {
        if (++depth_ > max_depth)
            throw_too_deep();
    }
    void leave() noexcept { --depth_; }
    std::size_t bytes() const noexcept { return bytes_; }

private:
    std::size_t bytes_ = 0;
    std::size_t depth_ = 0;
};

/// Second pass: writes the message where the caller made room for what the sizer counted.
class writer {
public:
    explicit writer(std::byte* out) noexcept : cursor_(out) {}

    void put(const void* from, std::size_t bytes) noexcept {
        copy_short(cursor_, from, bytes);
        cursor_ += bytes;
    }

    template <class T>
    void put_value(const T& value) noexcept {
        static_assert(std::is_trivially_copyable_v<T>);
        std::memcpy(cursor_, &value, sizeof(T));
        cursor_ += sizeof(T);
    }

    void put_count(std::size_t count) noexcept { put_value(static_cast<std::uint64_t>(count)); }

    std::byte* position() const noexcept { return cursor_; }

private:
    std::byte* cursor_;
};

}  // namespace multiprocessing::detail
