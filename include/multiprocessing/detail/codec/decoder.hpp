// SPDX-License-Identifier: MIT
// Reads values out of bytes that nobody vouches for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/codec/type_name.hpp>
#include <multiprocessing/detail/codec/wire.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

class decoder;

template <class T>
T read_asserted(decoder& in);

/// Elements that take no bytes cannot be justified by bytes: this many in a message, no more.
inline constexpr std::size_t max_weightless = 65536;

/// Memory is set aside for elements before they are read up to this multiple of the message's
/// bytes, in all: an empty string of eight bytes becomes an object of 32. Containers that need more
/// grow as their elements are read. Without a sum, 256 nested containers could each claim it.
inline constexpr std::size_t max_growth = 8;

// The failures take values, never the decoder: it can stay in registers.
[[noreturn]] MULTIPROCESSING_NOINLINE inline void throw_unexpected(const char* expected,
                                                                   std::string_view type,
                                                                   std::size_t offset,
                                                                   std::uint64_t found) {
    throw PicklingError("expected " + std::string(expected) + " of " + readable(type) +
                        " at byte " + std::to_string(offset) + ", found " + std::to_string(found));
}

[[noreturn]] MULTIPROCESSING_NOINLINE inline void
throw_truncated(std::string_view type, std::size_t offset, std::size_t needed, std::size_t left) {
    throw PicklingError("expected " + std::to_string(needed) + " bytes of " + readable(type) +
                        " at byte " + std::to_string(offset) + ", found " + std::to_string(left));
}

[[noreturn]] MULTIPROCESSING_NOINLINE inline void
throw_count(std::string_view element, std::size_t offset, std::uint64_t count, std::size_t left) {
    throw PicklingError("expected a count of " + readable(element) + " that fits the " +
                        std::to_string(left) + " bytes left at byte " + std::to_string(offset) +
                        ", found " + std::to_string(count));
}

class decoder {
public:
    explicit decoder(std::span<const std::byte> bytes) noexcept
        : begin_(bytes.data()), cursor_(begin_), end_(begin_ + bytes.size()),
          room_(bytes.size() * max_growth) {}

    /// Reads the next value; throws `PicklingError` where the bytes are not one.
    template <class T>
    T read() {
        return read_asserted<T>(*this);
    }

    std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - cursor_); }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(cursor_ - begin_); }

    /// Throws `PicklingError` where bytes are left over.
    void finish() const {
        if (cursor_ != end_)
            throw_trailing(offset(), remaining());
    }

    /// The next `bytes` bytes, which are passed over. `For` is named in the error.
    template <class For>
    const std::byte* take(std::size_t bytes) {
        if (bytes > remaining())
            throw_truncated(spelling_of<For>(), offset(), bytes, remaining());
        const std::byte* taken = cursor_;
        cursor_ += bytes;
        return taken;
    }

    template <class T>
    T take_value() {
        static_assert(std::is_trivially_copyable_v<T>);
        T value;
        std::memcpy(&value, take<T>(sizeof(T)), sizeof(T));
        return value;
    }

    /// A count of elements of which each takes at least `ElementBytes`: what is left holds that
    /// many. The product of the two cannot overflow.
    template <class Element, std::size_t ElementBytes>
    std::size_t take_count() {
        const std::size_t at = offset();
        const auto count = take_value<std::uint64_t>();
        if constexpr (ElementBytes != 0)
            if (count > remaining() / ElementBytes)
                throw_count(spelling_of<Element>(), at, count, remaining());
        return static_cast<std::size_t>(count);
    }

    /// How many of `count` elements to make room for before the first is read.
    std::size_t justify(std::size_t count, std::size_t element_size) noexcept {
        const std::size_t most = room_ / element_size;
        const std::size_t justified = count < most ? count : most;
        room_ -= justified * element_size;
        return justified;
    }

    /// Counts an element that took no bytes, which only `started` can tell for types with hooks.
    template <class Element>
    void weigh(std::size_t started) {
        if (offset() == started && ++weightless_ > max_weightless)
            throw_count(spelling_of<Element>(), started, weightless_, remaining());
    }

    // No guard object: where reading throws, the decoder is not used again.
    void enter() {
        if (++depth_ > max_depth)
            throw_too_deep();
    }
    void leave() noexcept { --depth_; }

private:
    [[noreturn]] MULTIPROCESSING_NOINLINE static void throw_trailing(std::size_t offset,
                                                                     std::size_t left) {
        throw PicklingError("expected the end of the message at byte " + std::to_string(offset) +
                            ", found " + std::to_string(left) + " bytes more");
    }

    const std::byte* begin_;
    const std::byte* cursor_;
    const std::byte* end_;
    std::size_t room_;
    std::size_t depth_ = 0;
    std::size_t weightless_ = 0;
};

}  // namespace multiprocessing::detail
