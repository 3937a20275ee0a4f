// SPDX-License-Identifier: MIT
// What the codec asks about a type at compile time: can it cross, and in how few bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include <multiprocessing/detail/codec/decoder.hpp>
#include <multiprocessing/detail/codec/type_list.hpp>
#include <multiprocessing/detail/codec/wire.hpp>

namespace multiprocessing::detail {

template <class T>
concept has_codec = requires(sizer& sizes, writer& out, const T& value) {
    codec<T>::size(sizes, value);
    codec<T>::write(out, value);
};

// A C array cannot be returned: it is read in place.
template <class T>
concept has_reader = requires(decoder& in, T& target) { codec<T>::read_into(in, target); } ||
                     requires(decoder& in) {
                         { codec<T>::read(in) } -> std::same_as<T>;
                     };

template <class T>
constexpr std::size_t min_bytes = codec<T>::min_bytes;

template <class T>
constexpr bool is_fixed = false;
template <class T>
    requires requires { codec<T>::fixed; }
constexpr bool is_fixed<T> = codec<T>::fixed;

template <class T>
constexpr bool is_bulk = false;
template <class T>
    requires requires { codec<T>::bulk; }
constexpr bool is_bulk<T> = codec<T>::bulk;

template <class... Parts>
constexpr std::size_t min_bytes_of(type_list<Parts...>) {
    return (min_bytes<Parts> + ... + 0);
}

template <class... Parts>
constexpr bool all_fixed(type_list<Parts...>) {
    return (is_fixed<Parts> && ...);
}

/// Whether an object made of `Parts` and nothing else, no padding either, is copied as one block.
template <class Whole, class... Parts>
constexpr bool is_block(type_list<Parts...>) {
    return std::is_trivially_copyable_v<Whole> && (is_bulk<Parts> && ...) &&
           (sizeof(Parts) + ... + 0) == sizeof(Whole);
}

enum class direction { out, both };

// `Seen` are the types on the way here: a type that contains itself through a container crosses
// where its other parts do.
template <direction Way, class T, class... Seen>
constexpr bool crosses();

template <direction Way, class... Seen, class... Parts>
constexpr bool all_cross(type_list<Seen...>, type_list<Parts...>) {
    return (crosses<Way, std::remove_cv_t<Parts>, Seen...>() && ...);
}

template <direction Way, class T, class... Seen>
constexpr bool crosses() {
    if constexpr ((std::is_same_v<T, Seen> || ...))
        return true;
    else if constexpr (!has_codec<T> || (Way == direction::both && !has_reader<T>))
        return false;
    else if constexpr (requires { typename codec<T>::parts; })
        return all_cross<Way>(type_list<Seen..., T>{}, typename codec<T>::parts{});
    else
        return true;
}

/// A value of type `T` (without const and reference) can cross to another process: see the table in
/// detail/codec.hpp. What cannot can be made to with a `serialize(Archive&)` member.
template <class T>
concept sendable = crosses<direction::both, std::remove_cvref_t<T>>();

/// `T` can be written, if only to be read as something else: `string_view` arrives as `string`.
template <class T>
concept writable = crosses<direction::out, std::remove_cvref_t<T>>();

template <class T>
constexpr bool parts_cross = true;
template <class T>
    requires requires { typename codec<T>::parts; }
constexpr bool parts_cross<T> =
    all_cross<direction::both>(type_list<T>{}, typename codec<T>::parts{});

template <direction Way, class T>
constexpr void assert_crosses();

template <direction Way, class... Parts>
constexpr void assert_all_cross(type_list<Parts...>) {
    (assert_crosses<Way, std::remove_cv_t<Parts>>(), ...);
}

// Goes down to the first part that cannot cross, which the compiler then names.
template <direction Way, class T>
constexpr void assert_crosses() {
    if constexpr (!crosses<Way, T>()) {
        if constexpr (!parts_cross<T>)
            assert_all_cross<Way>(typename codec<T>::parts{});
        else
            static_assert(crosses<Way, T>(),
                          "this type T cannot cross to another process: give it a default "
                          "constructor and a member `template <class Archive> void "
                          "serialize(Archive& ar) { ar(member, other_member); }`; what a lambda "
                          "captures must be passed as an argument, what a pointer or view refers "
                          "to as std::string or std::vector (a span of apply and submit: as an "
                          "argument of its own)");
    }
}

/// Refuses to compile where `T` cannot cross, and names the hook that would let it. What of `T`
/// cannot is the `T` of the innermost instantiation that the compiler prints.
template <class T>
constexpr void assert_sendable() {
    assert_crosses<direction::both, std::remove_cvref_t<T>>();
}

}  // namespace multiprocessing::detail
