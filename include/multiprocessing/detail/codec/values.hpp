// SPDX-License-Identifier: MIT
// One value through its codec: what the codecs of composite types are written in.
#pragma once

#include <type_traits>

#include <multiprocessing/detail/codec/decoder.hpp>
#include <multiprocessing/detail/codec/traits.hpp>
#include <multiprocessing/detail/codec/wire.hpp>

namespace multiprocessing::detail {

template <class T>
void size_value(sizer& sizes, const T& value) {
    if constexpr (has_codec<T>)
        codec<T>::size(sizes, value);
    else
        assert_sendable<T>();
}

template <class T>
void write_value(writer& out, const T& value) {
    if constexpr (has_codec<T>)
        codec<T>::write(out, value);
    else
        assert_sendable<T>();
}

template <class T>
std::remove_cv_t<T> read_value(decoder& in) {
    return codec<std::remove_cv_t<T>>::read(in);
}

// Where the assertion fails it is the only error: nothing below it is instantiated.
template <class T>
T read_asserted(decoder& in) {
    assert_sendable<T>();
    if constexpr (sendable<T>)
        return codec<std::remove_cv_t<T>>::read(in);
    else
        throw PicklingError(type_name<T>());
}

template <class T>
void read_into(decoder& in, T& target) {
    if constexpr (std::is_array_v<T>)
        codec<T>::read_into(in, target);
    else
        target = codec<T>::read(in);
}

/// Reads the byte that says whether something follows, or is so.
template <class For>
bool read_flag(decoder& in, const char* expected) {
    const std::size_t at = in.offset();
    const auto flag = std::to_integer<unsigned>(*in.take<For>(1));
    if (flag > 1)
        throw_unexpected(expected, spelling_of<For>(), at, flag);
    return flag == 1;
}

/// Reads a value whose elements may in turn hold values of its own type.
template <class Read>
auto read_nested(decoder& in, Read read) {
    in.enter();
    auto value = read();
    in.leave();
    return value;
}

/// Reads an element of a container, where one without bytes must not come without end.
template <class T>
T read_element(decoder& in) {
    if constexpr (min_bytes<T> != 0) {
        return codec<T>::read(in);
    } else {
        const std::size_t started = in.offset();
        T element = codec<T>::read(in);
        in.weigh<T>(started);
        return element;
    }
}

/// A value that is read at the moment it is converted: where it will be, sparing a move.
template <class T>
struct deferred_value {
    decoder& in;
    operator T() const { return read_element<T>(in); }
};

}  // namespace multiprocessing::detail
