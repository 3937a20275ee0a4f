// SPDX-License-Identifier: MIT
// Tuples, optionals, variants, smart pointers, times, paths, complex numbers, adapters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec/shapes.hpp>
#include <multiprocessing/detail/codec/values.hpp>

namespace multiprocessing::detail {

template <class T, class Indices = std::make_index_sequence<std::tuple_size<T>::value>>
struct elements_of_tuple;
template <class T, std::size_t... Index>
struct elements_of_tuple<T, std::index_sequence<Index...>> {
    using type = type_list<std::tuple_element_t<Index, T>...>;
};

template <class T>
    requires(shape_of<T> == shape::tuple)
struct codec<T> {
    using parts = typename elements_of_tuple<T>::type;
    using indices = std::make_index_sequence<std::tuple_size<T>::value>;
    static constexpr std::size_t min_bytes = min_bytes_of(parts{});
    static constexpr bool fixed = all_fixed(parts{});

    static void size(sizer& sizes, const T& value) { size_each(sizes, value, indices{}); }
    static void write(writer& out, const T& value) { write_each(out, value, indices{}); }
    static T read(decoder& in) { return read_each(in, parts{}); }

private:
    template <std::size_t... Index>
    static void size_each(sizer& sizes, const T& value, std::index_sequence<Index...>) {
        using std::get;
        (size_value(sizes, get<Index>(value)), ...);
    }
    template <std::size_t... Index>
    static void write_each(writer& out, const T& value, std::index_sequence<Index...>) {
        using std::get;
        (write_value(out, get<Index>(value)), ...);
    }
    // The braces promise the order of evaluation.
    template <class... Elements>
    static T read_each(decoder& in, type_list<Elements...>) {
        return T{read_value<Elements>(in)...};
    }
};

template <class T>
    requires(shape_of<T> == shape::optional)
struct codec<T> {
    using value_type = typename T::value_type;
    using parts = type_list<value_type>;
    static constexpr std::size_t min_bytes = 1;

    static void size(sizer& sizes, const T& value) {
        sizes.add(1);
        if (value)
            size_value(sizes, *value);
    }
    static void write(writer& out, const T& value) {
        write_value(out, value.has_value());
        if (value)
            write_value(out, *value);
    }
    static T read(decoder& in) {
        if (!read_flag<T>(in, "the flag (0 or 1)"))
            return T{};
        return T(std::in_place, read_value<value_type>(in));
    }
};

template <class T>
struct alternatives_of;
template <template <class...> class Variant, class... Alternatives>
struct alternatives_of<Variant<Alternatives...>> {
    using type = type_list<Alternatives...>;
};

template <class T>
    requires(shape_of<T> == shape::variant)
struct codec<T> {
    using parts = typename alternatives_of<T>::type;
    using index_type = std::uint16_t;
    static constexpr std::size_t min_bytes = sizeof(index_type);

    static void size(sizer& sizes, const T& value) {
        sizes.add(sizeof(index_type));
        visit(value, parts{}, [&](const auto& held) { size_value(sizes, held); });
    }
    static void write(writer& out, const T& value) {
        out.put_value(static_cast<index_type>(value.index()));
        visit(value, parts{}, [&](const auto& held) { write_value(out, held); });
    }
    static T read(decoder& in) {
        const std::size_t at = in.offset();
        return read_alternative<0>(in, at, in.take_value<index_type>(), parts{});
    }

private:
    template <class Visitor, class... Alternatives>
    static void visit(const T& value, type_list<Alternatives...> all, Visitor visitor) {
        if (value.valueless_by_exception())
            throw PicklingError(type_name<T>() + " holds no value (an exception took it)");
        visit_at(value, all, visitor, std::index_sequence_for<Alternatives...>{});
    }
    template <class Visitor, class... Alternatives, std::size_t... Index>
    static void visit_at(const T& value, type_list<Alternatives...>, Visitor& visitor,
                         std::index_sequence<Index...>) {
        const std::size_t held = value.index();
        static_cast<void>(((held == Index && (visitor(*get_if<Index>(&value)), true)) || ...));
    }
    template <std::size_t Index, class First, class... Rest>
    static T read_alternative(decoder& in, std::size_t at, index_type index,
                              type_list<First, Rest...>) {
        if (index == Index)
            return T(std::in_place_index<Index>, read_value<First>(in));
        if constexpr (sizeof...(Rest) != 0)
            return read_alternative<Index + 1>(in, at, index, type_list<Rest...>{});
        else
            throw_unexpected("the index of an alternative", spelling_of<T>(), at, index);
    }
};

// By value: two shared pointers to one object arrive as two objects.
template <class T>
    requires(shape_of<T> == shape::unique_pointer || shape_of<T> == shape::shared_pointer)
struct codec<T> {
    using element = typename T::element_type;
    using parts = type_list<element>;
    static constexpr std::size_t min_bytes = 1;

    static void size(sizer& sizes, const T& value) {
        sizes.add(1);
        if (!value)
            return;
        sizes.enter();
        size_value(sizes, *value);
        sizes.leave();
    }
    static void write(writer& out, const T& value) {
        write_value(out, value != nullptr);
        if (value)
            write_value(out, *value);
    }
    static T read(decoder& in) {
        if (!read_flag<T>(in, "the flag (0 or 1)"))
            return T{};
        return read_nested(in, [&] { return T(new element(read_value<element>(in))); });
    }
};

template <class T>
    requires(shape_of<T> == shape::duration)
struct codec<T> {
    using rep = typename T::rep;
    using parts = type_list<rep>;
    static constexpr std::size_t min_bytes = detail::min_bytes<rep>;
    static constexpr bool fixed = is_fixed<rep>;
    static constexpr bool bulk = is_block<T>(parts{});
    static void size(sizer& sizes, const T& value) { size_value(sizes, value.count()); }
    static void write(writer& out, const T& value) { write_value(out, value.count()); }
    static T read(decoder& in) { return T(read_value<rep>(in)); }
};

template <class T>
    requires(shape_of<T> == shape::time_point)
struct codec<T> {
    using duration = typename T::duration;
    using parts = type_list<duration>;
    static constexpr std::size_t min_bytes = detail::min_bytes<duration>;
    static constexpr bool fixed = is_fixed<duration>;
    static constexpr bool bulk = is_block<T>(parts{});
    static void size(sizer& sizes, const T& value) { size_value(sizes, value.time_since_epoch()); }
    static void write(writer& out, const T& value) { write_value(out, value.time_since_epoch()); }
    static T read(decoder& in) { return T(read_value<duration>(in)); }
};

template <class T>
    requires(shape_of<T> == shape::complex)
struct codec<T> {
    using number = typename T::value_type;
    using parts = type_list<number, number>;
    static constexpr std::size_t min_bytes = min_bytes_of(parts{});
    static constexpr bool fixed = all_fixed(parts{});
    static constexpr bool bulk = is_block<T>(parts{});
    static void size(sizer& sizes, const T&) { sizes.add(min_bytes); }
    static void write(writer& out, const T& value) {
        write_value(out, value.real());
        write_value(out, value.imag());
    }
    static T read(decoder& in) {
        const auto real = read_value<number>(in);
        return T(real, read_value<number>(in));
    }
};

template <class T>
    requires(shape_of<T> == shape::path)
struct codec<T> {
    using string = typename T::string_type;
    using parts = type_list<string>;
    static constexpr std::size_t min_bytes = count_bytes;
    static void size(sizer& sizes, const T& value) { size_value(sizes, value.native()); }
    static void write(writer& out, const T& value) { write_value(out, value.native()); }
    static T read(decoder& in) { return T(read_value<string>(in)); }
};

// The container of an adapter is a protected member, which a derived class may name.
template <class T>
struct adapter_access : T {
    static const typename T::container_type& container_of(const T& value) {
        return value.*&adapter_access::c;
    }
};

// Made from the container, so that a queue by priority becomes a heap whatever arrived.
template <class T>
    requires(shape_of<T> == shape::adapter)
struct codec<T> {
    using container = typename T::container_type;
    using parts = type_list<container>;
    static constexpr std::size_t min_bytes = detail::min_bytes<container>;
    static void size(sizer& sizes, const T& value) {
        size_value(sizes, adapter_access<T>::container_of(value));
    }
    static void write(writer& out, const T& value) {
        write_value(out, adapter_access<T>::container_of(value));
    }
    static T read(decoder& in) {
        if constexpr (requires { typename T::value_compare; })
            return T(typename T::value_compare{}, read_value<container>(in));
        else
            return T(read_value<container>(in));
    }
};

}  // namespace multiprocessing::detail
