// SPDX-License-Identifier: MIT
// Structs, member by member, and types that bring a `serialize` function.
#pragma once

#include <cstddef>
#include <type_traits>

#include <multiprocessing/detail/codec/hooks.hpp>
#include <multiprocessing/detail/codec/members.hpp>
#include <multiprocessing/detail/codec/shapes.hpp>
#include <multiprocessing/detail/codec/values.hpp>

namespace multiprocessing::detail {

template <class... Members>
constexpr bool any_array(type_list<Members...>) {
    return (std::is_array_v<Members> || ...);
}

template <class T>
    requires(shape_of<T> == shape::aggregate)
struct codec<T> {
    using parts = members_of<T>;
    static constexpr std::size_t min_bytes = min_bytes_of(parts{});
    static constexpr bool fixed = all_fixed(parts{});
    static constexpr bool bulk = is_block<T>(parts{});

    static void size(sizer& sizes, const T& value) {
        if constexpr (fixed)
            sizes.add(min_bytes);
        else
            visit_members(value,
                          [&](const auto&... members) { (size_value(sizes, members), ...); });
    }
    static void write(writer& out, const T& value) {
        if constexpr (bulk)
            out.put_value(value);
        else
            visit_members(value, [&](const auto&... members) { (write_value(out, members), ...); });
    }
    static T read(decoder& in) {
        if constexpr (bulk)
            return in.take_value<T>();
        else if constexpr (any_array(parts{}))
            return read_in_place(in);
        else
            return read_listed(in, parts{});
    }

private:
    // The braces promise the order of evaluation; members need no default and are not moved.
    template <class... Members>
    static T read_listed(decoder& in, type_list<Members...>) {
        if constexpr (has_base<T>)
            return T{{}, read_value<Members>(in)...};
        else
            return T{read_value<Members>(in)...};
    }
    static T read_in_place(decoder& in) {
        T result{};
        visit_members(result, [&](auto&... members) { (read_into(in, members), ...); });
        return result;
    }
};

// How few bytes a hook writes cannot be known, so its elements are weighed as they are read.
template <class T>
    requires(shape_of<T> == shape::hooked)
struct codec<T> {
    static constexpr std::size_t min_bytes = 0;

    static void size(sizer& sizes, const T& value) {
        sizing_archive archive(sizes);
        call_hook(const_cast<T&>(value), archive);  // The passes that write change nothing.
    }
    static void write(writer& out, const T& value) {
        writing_archive archive(out);
        call_hook(const_cast<T&>(value), archive);
    }
    static T read(decoder& in)
        requires std::is_default_constructible_v<T>
    {
        T result{};
        reading_archive archive(in);
        call_hook(result, archive);
        return result;
    }
};

}  // namespace multiprocessing::detail
