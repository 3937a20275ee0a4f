// SPDX-License-Identifier: MIT
// Numbers, enumerations, truth values, and values that are all alike.
#pragma once

#include <cstddef>
#include <type_traits>

#include <multiprocessing/detail/codec/shapes.hpp>
#include <multiprocessing/detail/codec/values.hpp>

namespace multiprocessing {

/// The values of an enumeration that may arrive, both inclusive. Specialise it with `static
/// constexpr E min, max` to have others refused; without, every value of the underlying type is
/// taken. An enumeration without a fixed underlying type needs it: others are undefined behaviour.
template <class E>
struct enum_range {};

namespace detail {

template <class E>
concept ranged_enum = requires {
    enum_range<E>::min;
    enum_range<E>::max;
};

template <class T>
    requires(shape_of<T> == shape::number)
struct codec<T> {
    static constexpr std::size_t min_bytes = sizeof(T);
    static constexpr bool fixed = true;
    static constexpr bool bulk = true;
    static void size(sizer& sizes, const T&) { sizes.add(sizeof(T)); }
    static void write(writer& out, const T& value) { out.put_value(value); }
    static T read(decoder& in) { return in.take_value<T>(); }
};

template <class T>
    requires(shape_of<T> == shape::boolean)
struct codec<T> {
    static constexpr std::size_t min_bytes = 1;
    static constexpr bool fixed = true;
    static void size(sizer& sizes, const T&) { sizes.add(1); }
    static void write(writer& out, const T& value) {
        out.put_value(value ? std::byte{1} : std::byte{});
    }
    static T read(decoder& in) { return read_flag<T>(in, "a bool (0 or 1)"); }
};

template <class T>
    requires(shape_of<T> == shape::enumeration)
struct codec<T> {
    using underlying = std::underlying_type_t<T>;

    static constexpr std::size_t min_bytes = sizeof(T);
    static constexpr bool fixed = true;
    static constexpr bool bulk = !ranged_enum<T> && !std::is_same_v<underlying, bool>;
    static void size(sizer& sizes, const T&) { sizes.add(sizeof(T)); }
    static void write(writer& out, const T& value) { out.put_value(value); }
    static T read(decoder& in) {
        const std::size_t at = in.offset();
        const auto value = codec<underlying>::read(in);
        if constexpr (ranged_enum<T>)
            if (value < static_cast<underlying>(enum_range<T>::min) ||
                value > static_cast<underlying>(enum_range<T>::max))
                throw_unexpected("a value in range", spelling_of<T>(), at,
                                 static_cast<std::uint64_t>(value));
        return static_cast<T>(value);
    }
};

template <class T>
    requires(shape_of<T> == shape::stateless)
struct codec<T> {
    static constexpr std::size_t min_bytes = 0;
    static constexpr bool fixed = true;
    static void size(sizer&, const T&) {}
    static void write(writer&, const T&) {}
    static T read(decoder&) { return T{}; }
};

}  // namespace detail
}  // namespace multiprocessing
