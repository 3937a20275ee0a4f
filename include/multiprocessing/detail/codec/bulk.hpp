// SPDX-License-Identifier: MIT
// Containers whose elements lie in the message as they lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <multiprocessing/detail/codec/decoder.hpp>

namespace multiprocessing::detail {

template <class Element>
bool is_aligned(const std::byte* place) noexcept {
    return reinterpret_cast<std::uintptr_t>(place) % alignof(Element) == 0;
}

// Elements may lie anywhere in a message. Those that do not lie as their type demands go through a
// block that stays in the nearest cache; 16 KiB of it cost 8 MiB of doubles a twentieth, 4 KiB a
// third. To resize and copy would write the memory twice, and an iterator that loads unaligned
// elements becomes a loop over single elements.
template <class T>
T read_unaligned(const std::byte* from, std::size_t count) {
    using element = typename T::value_type;
    constexpr std::size_t block_bytes = 16384;
    constexpr std::size_t block_length =
        sizeof(element) < block_bytes ? block_bytes / sizeof(element) : 1;
    alignas(element) std::byte block[block_length * sizeof(element)];
    const auto* const elements = reinterpret_cast<const element*>(block);
    T result;
    if constexpr (requires { result.reserve(count); })
        result.reserve(count);
    while (count != 0) {
        const std::size_t length = count < block_length ? count : block_length;
        std::memcpy(block, from, length * sizeof(element));
        result.insert(result.end(), elements, elements + length);
        from += length * sizeof(element);
        count -= length;
    }
    return result;
}

/// Reads `count` elements, which the message was checked to hold, as one range.
template <class T>
T read_bulk(decoder& in, std::size_t count) {
    using element = typename T::value_type;
    const std::byte* const from = in.take<T>(count * sizeof(element));
    if (!is_aligned<element>(from))
        return read_unaligned<T>(from, count);
    const auto* const elements = reinterpret_cast<const element*>(from);
    return T(elements, elements + count);
}

}  // namespace multiprocessing::detail
