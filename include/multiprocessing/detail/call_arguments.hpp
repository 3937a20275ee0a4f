// SPDX-License-Identifier: MIT
// The arguments of a pool's call in its worker's ring: values as ever, and spans, which the
// function reads where they lie, or gets as vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/codec.hpp>

namespace multiprocessing::detail {

/// A view of elements that lie in a ring as they lie in memory.
template <class T>
inline constexpr bool is_lent_span = false;
template <class Element, std::size_t Extent>
inline constexpr bool is_lent_span<std::span<Element, Extent>> =
    is_bulk<std::remove_const_t<Element>> && !std::is_volatile_v<Element> &&
    alignof(Element) <= alignof(std::uint64_t);

/// What an argument is to a function that reads a span, and to one that has no use for it: elements
/// that may be changed here are only read there.
template <class T>
struct arriving_argument {
    using lent = T;
    using owned = T;
};
template <class T>
requires is_lent_span<T>
struct arriving_argument<T> {
    using element = std::remove_const_t<typename T::element_type>;
    using lent = std::span<const element, T::extent>;
    using owned = std::vector<element>;
};

/// The arguments as a function takes them.
template <class F, class... Ts>
using arriving =
    std::conditional_t<callable_with<F, std::tuple<typename arriving_argument<Ts>::lent...>>,
                       std::tuple<typename arriving_argument<Ts>::lent...>,
                       std::tuple<typename arriving_argument<Ts>::owned...>>;

/// How an argument is written, and read as an `As`. A span's elements are aligned by their address:
/// both sides have a ring's memory mapped at the beginning of a page, and so agree on it.
template <class T>
class call_argument {
public:
    static void size(sizer& sizes, const T& value) { size_value<T>(sizes, value); }
    static void write(writer& out, const T& value) { write_value<T>(out, value); }
    template <class As>
    static As read(decoder& in) {
        return in.template read<As>();
    }
};

template <class T>
requires is_lent_span<T>
class call_argument<T> {
public:
    using element = std::remove_const_t<typename T::element_type>;

    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes + padding_bytes + value.size_bytes());
    }
    static void write(writer& out, const T& value) {
        constexpr std::byte nothing[padding_bytes + 1] = {};
        out.put_count(value.size());
        const std::size_t before = padding_at(out.position());
        out.put(nothing, before);
        out.put(value.data(), value.size_bytes());
        out.put(nothing, padding_bytes - before);
    }
    template <class As>
    static As read(decoder& in) {
        const std::size_t count = in.template take_count<element, sizeof(element)>();
        if constexpr (T::extent != std::dynamic_extent)
            if (count != T::extent)
                throw_unexpected("the count", spelling_of<T>(), in.offset(), count);
        const std::size_t before = padding_at(in.template take<T>(0));
        in.template take<T>(before);
        const std::byte* const place = in.template take<T>(count * sizeof(element));
        in.template take<T>(padding_bytes - before);
        const auto* const elements = reinterpret_cast<const element*>(place);
        return As(elements, elements + count);
    }

private:
    static constexpr std::size_t alignment = alignof(element);
    /// In front of the elements or behind them, always as many.
    static constexpr std::size_t padding_bytes = alignment - 1;

    static std::size_t padding_at(const std::byte* place) noexcept {
        return (alignment - reinterpret_cast<std::uintptr_t>(place) % alignment) % alignment;
    }
};

template <class T>
inline constexpr bool is_span = false;
template <class Element, std::size_t Extent>
inline constexpr bool is_span<std::span<Element, Extent>> = true;

/// Does not compile where `T` can be no argument of a call.
template <class T>
constexpr void assert_argument() {
    if constexpr (is_span<T>)
        static_assert(is_lent_span<T>,
                      "the elements of a span must cross as they lie in memory, "
                      "as numbers and structs of these do: copy others to a vector");
    else
        assert_sendable<T>();
}

template <class... Ts>
std::size_t arguments_size(const std::tuple<Ts...>& arguments) {
    sizer sizes;
    std::apply([&](const Ts&... each) { (call_argument<Ts>::size(sizes, each), ...); }, arguments);
    return sizes.bytes();
}
template <class... Ts>
void write_arguments_to(std::byte* place, const std::tuple<Ts...>& arguments) {
    writer out(place);
    std::apply([&](const Ts&... each) { (call_argument<Ts>::write(out, each), ...); }, arguments);
}
/// What is in them may refer to the message.
template <class... Ts, class... As>
std::tuple<As...> read_arguments(decoder& in, std::type_identity<std::tuple<As...>>) {
    return std::tuple<As...>{call_argument<Ts>::template read<As>(in)...};
}

}  // namespace multiprocessing::detail
