// SPDX-License-Identifier: MIT
// Values to bytes and back: what crosses between processes crosses as written here.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <multiprocessing/detail/codec/aggregates.hpp>
#include <multiprocessing/detail/codec/associative.hpp>
#include <multiprocessing/detail/codec/decoder.hpp>
#include <multiprocessing/detail/codec/ranges.hpp>
#include <multiprocessing/detail/codec/scalars.hpp>
#include <multiprocessing/detail/codec/traits.hpp>
#include <multiprocessing/detail/codec/type_name.hpp>
#include <multiprocessing/detail/codec/values.hpp>
#include <multiprocessing/detail/codec/vocabulary.hpp>
#include <multiprocessing/detail/codec/wire.hpp>

// The bytes of a message. Both ends are one build, so sizes and byte order are the machine's, and
// nothing is aligned or named.
//
//   number, enumeration, byte, char     its bytes
//   bool                                one byte, 0 or 1
//   nullptr, empty class, monostate     nothing
//   count                               8 bytes
//   array, std::array                   its elements
//   string, vector, deque, list, path   count, elements
//   set, map                            count, keys or key and value in turn; the standard's
//                                       with an order from the last to the first
//   vector<bool>                        count, then eight to a byte, the first in the lowest bit
//   bitset                              eight to a byte
//   pair, tuple, complex                its elements
//   optional, unique_ptr, shared_ptr    one byte, 0 or 1; after a 1 the value
//   variant                             2 bytes of index, the alternative
//   duration, time_point                the number of ticks
//   stack, queue, priority_queue        the container in it
//   aggregate                           its members
//   class with serialize()              what serialize() names
//   string_view, span, const char*      as string or vector; written only
//
// A class is tried from the bottom of what it may look like: serialize() comes first, a plain
// aggregate last. Not sendable are pointers, references, unions, classes with private parts or
// bases and no hook. A struct with bit-fields needs the hook too.

namespace multiprocessing::detail {

// Text in quotes is an array; what it means is a string.
template <class T>
struct written {
    using type = T;
};
template <std::size_t Length>
struct written<char[Length]> {
    using type = const char*;
};
template <class T>
using written_as = typename written<T>::type;

/// The bytes that `encode_to` will write for these values, exactly. Throws `PicklingError` where
/// one nests too deep or is a variant without a value.
template <class... Ts>
std::size_t encoded_size(const Ts&... values) {
    sizer sizes;
    if constexpr ((writable<written_as<Ts>> && ...))
        (size_value<written_as<Ts>>(sizes, values), ...);
    else
        (assert_crosses<direction::out, written_as<Ts>>(), ...);
    return sizes.bytes();
}

/// Writes the values one after the other, `encoded_size(values...)` bytes; returns where they end.
template <class... Ts>
std::byte* encode_to(std::byte* out, const Ts&... values) {
    writer target(out);
    if constexpr ((writable<written_as<Ts>> && ...))
        (write_value<written_as<Ts>>(target, values), ...);
    else
        (assert_crosses<direction::out, written_as<Ts>>(), ...);
    return target.position();
}

/// The values as a message of their own. Its memory is filled with zeros first: for megabytes,
/// `encode_to` into memory that is not costs a third less.
template <class... Ts>
std::vector<std::byte> encode(const Ts&... values) {
    std::vector<std::byte> message(encoded_size(values...));
    encode_to(message.data(), values...);
    return message;
}

/// Reads a message that is one value of type `T`. Throws `PicklingError` where it is not.
template <class T>
T decode(std::span<const std::byte> bytes) {
    decoder in(bytes);
    T value = in.read<T>();
    in.finish();
    return value;
}

}  // namespace multiprocessing::detail
