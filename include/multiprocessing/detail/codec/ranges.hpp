// SPDX-License-Identifier: MIT
// Arrays, strings and sequences: a count where the length is not part of the type, then elements.
#pragma once

#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec/bulk.hpp>
#include <multiprocessing/detail/codec/scalars.hpp>
#include <multiprocessing/detail/codec/shapes.hpp>
#include <multiprocessing/detail/codec/values.hpp>

namespace multiprocessing::detail {

// Adds the bytes of all elements of a range, without a look at them where they are all alike.
template <class Element, class Range>
void size_elements(sizer& sizes, const Range& range, std::size_t count) {
    if constexpr (is_fixed<Element>) {
        sizes.add(count * min_bytes<Element>);
    } else {
        sizes.enter();
        for (const auto& element : range)
            size_value<Element>(sizes, element);
        sizes.leave();
    }
}

template <class Element, class Range>
void write_elements(writer& out, const Range& range, std::size_t count) {
    if constexpr (is_bulk<Element> && requires { std::data(range); }) {
        out.put(std::data(range), count * sizeof(Element));
    } else {
        writer own = out;  // Bytes may alias anything: only a writer of our own stays in registers.
        for (const auto& element : range)
            write_value<Element>(own, element);
        out = own;
    }
}

template <class Element, std::size_t Length>
struct codec<Element[Length]> {
    using parts = type_list<Element>;
    static constexpr std::size_t min_bytes = Length * detail::min_bytes<Element>;
    static constexpr bool fixed = is_fixed<Element>;
    static constexpr bool bulk = is_bulk<Element>;
    using array = Element[Length];

    static void size(sizer& sizes, const array& value) {
        size_elements<Element>(sizes, value, Length);
    }
    static void write(writer& out, const array& value) {
        write_elements<Element>(out, value, Length);
    }
    static void read_into(decoder& in, array& target) {
        if constexpr (bulk)
            std::memcpy(target, in.take<array>(sizeof(array)), sizeof(array));
        else
            for (Element& element : target)
                detail::read_into(in, element);
    }
};

template <class T>
    requires(shape_of<T> == shape::std_array)
struct codec<T> {
    using element = typename T::value_type;
    using parts = type_list<element>;
    static constexpr std::size_t length = std::tuple_size_v<T>;
    static constexpr std::size_t min_bytes = length * detail::min_bytes<element>;
    static constexpr bool fixed = is_fixed<element>;
    static constexpr bool bulk = length != 0 && is_bulk<element>;

    static void size(sizer& sizes, const T& value) { size_elements<element>(sizes, value, length); }
    static void write(writer& out, const T& value) { write_elements<element>(out, value, length); }
    static T read(decoder& in) {
        if constexpr (bulk)
            return in.take_value<T>();
        else if constexpr (std::is_default_constructible_v<element>)
            return read_each(in);
        else
            return read_listed(in, std::make_index_sequence<length>{});
    }

private:
    static T read_each(decoder& in) {
        T result{};
        for (element& target : result)
            detail::read_into(in, target);
        return result;
    }
    template <std::size_t... Index>
    static T read_listed(decoder& in, std::index_sequence<Index...>) {
        return T{(static_cast<void>(Index), read_value<element>(in))...};
    }
};

template <class T>
    requires(shape_of<T> == shape::sequence)
struct codec<T> {
    using element = typename T::value_type;
    using parts = type_list<element>;
    static constexpr std::size_t min_bytes = count_bytes;

    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes);
        size_elements<element>(sizes, value, value.size());
    }
    static void write(writer& out, const T& value) {
        out.put_count(value.size());
        write_elements<element>(out, value, value.size());
    }
    static T read(decoder& in) {
        const std::size_t count = in.take_count<element, detail::min_bytes<element>>();
        if constexpr (is_bulk<element>)
            return read_bulk<T>(in, count);
        else
            return read_nested(in, [&] { return read_each(in, count); });
    }

private:
    static void append(T& result, decoder& in) {
        if constexpr (made_by_conversion<element>)
            result.emplace_back(deferred_value<element>{in});
        else
            result.push_back(read_element<element>(in));
    }
    static T read_each(decoder& in, std::size_t count) {
        T result;
        if constexpr (requires { result.reserve(count); })
            result.reserve(in.justify(count, sizeof(element)));
        for (std::size_t i = 0; i < count; ++i)
            append(result, in);
        return result;
    }
};

template <class T>
    requires(shape_of<T> == shape::forward_list)
struct codec<T> {
    using element = typename T::value_type;
    using parts = type_list<element>;
    static constexpr std::size_t min_bytes = count_bytes;

    static void size(sizer& sizes, const T& value) {
        const std::size_t count = length_of(value);
        sizes.add(count_bytes);
        size_elements<element>(sizes, value, count);
    }
    static void write(writer& out, const T& value) {
        const std::size_t count = length_of(value);
        out.put_count(count);
        write_elements<element>(out, value, count);
    }
    static T read(decoder& in) {
        const std::size_t count = in.take_count<element, detail::min_bytes<element>>();
        return read_nested(in, [&] { return read_each(in, count); });
    }

private:
    static std::size_t length_of(const T& value) {
        return static_cast<std::size_t>(std::distance(value.begin(), value.end()));
    }
    static T read_each(decoder& in, std::size_t count) {
        T result;
        auto last = result.before_begin();
        for (std::size_t i = 0; i < count; ++i)
            last = result.insert_after(last, read_element<element>(in));
        return result;
    }
};

// A view may be written where its elements live on this side; over there it is a sequence.
template <class T>
    requires(shape_of<T> == shape::view)
struct codec<T> {
    using element = std::remove_cv_t<typename T::value_type>;
    using parts = type_list<element>;
    static constexpr std::size_t min_bytes = count_bytes;

    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes);
        size_elements<element>(sizes, value, value.size());
    }
    static void write(writer& out, const T& value) {
        out.put_count(value.size());
        write_elements<element>(out, value, value.size());
    }
};

// Text that ends with a zero; over there it is a string.
template <>
struct codec<const char*> {
    static constexpr std::size_t min_bytes = count_bytes;
    static void size(sizer& sizes, const char* value) {
        size_value(sizes, std::string_view(value));
    }
    static void write(writer& out, const char* value) { write_value(out, std::string_view(value)); }
};

template <>
struct codec<char*> : codec<const char*> {};

}  // namespace multiprocessing::detail
