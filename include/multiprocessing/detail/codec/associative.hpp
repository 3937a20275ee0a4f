// SPDX-License-Identifier: MIT
// Maps and sets, ordered or not, and truth values packed to bits.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec/ranges.hpp>
#include <multiprocessing/detail/codec/shapes.hpp>
#include <multiprocessing/detail/codec/values.hpp>

namespace multiprocessing::detail {

// Where a key can be there only once, inserting tells whether it was new.
template <class T>
concept unique_keys = requires(T& value, typename T::value_type element) {
    { value.insert(std::move(element)).second } -> std::convertible_to<bool>;
};

// A comparison or hash that is a plain function would arrive as null.
template <class T>
concept rebuildable = !requires { requires std::is_pointer_v<typename T::key_compare>; } &&
                      !requires { requires std::is_pointer_v<typename T::hasher>; } &&
                      !requires { requires std::is_pointer_v<typename T::key_equal>; };

// GNU's library compares a key twice that is put before the end, and once where it is put before
// the first. So its maps and sets with an order cross from their last element to their first. Others
// do not: where elements lie in arrays, each one put before the first would move the rest.
template <class T>
concept crosses_backwards =
    (spelling_of<T>().starts_with("std::") || spelling_of<T>().starts_with("class std::")) &&
    requires {
        typename T::key_compare;
        typename T::node_type;
    };

/// Visits the elements in the order in which they cross. A reverse iterator would step back twice
/// for each: once to read it, once to go on.
template <class T, class Visitor>
void visit_crossing(const T& container, Visitor visit) {
    if constexpr (crosses_backwards<T>)
        for (auto at = container.end(); at != container.begin();)
            visit(*--at);
    else
        for (const auto& element : container)
            visit(element);
}

template <class T, class Write>
void write_crossing(writer& out, const T& container, Write write) {
    writer own = out;  // As in write_elements(): only a writer of our own stays in registers.
    visit_crossing(container, [&](const auto& element) { write(own, element); });
    out = own;
}

/// Where the next element that crosses belongs.
template <class T>
auto next_place(T& container) {
    if constexpr (crosses_backwards<T>)
        return container.begin();
    else
        return container.end();
}

template <class T>
T make_with_room(decoder& in, std::size_t count) {
    T result;
    if constexpr (requires { result.reserve(count); })
        result.reserve(in.justify(count, sizeof(typename T::value_type)));
    return result;
}

template <class T>
void check_inserted(const T& container, std::size_t expected, std::size_t offset) {
    if constexpr (unique_keys<T>)
        if (container.size() != expected)
            throw_unexpected("a key that was not there before", spelling_of<T>(), offset, expected);
}

template <class T>
    requires(shape_of<T> == shape::map && rebuildable<T>)
struct codec<T> {
    using key = typename T::key_type;
    using mapped = typename T::mapped_type;
    using parts = type_list<key, mapped>;
    static constexpr std::size_t min_bytes = count_bytes;
    static constexpr std::size_t entry_bytes = detail::min_bytes<key> + detail::min_bytes<mapped>;

    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes);
        sizes.enter();
        visit_crossing(value, [&](const auto& entry) {
            size_value<key>(sizes, entry.first);
            size_value<mapped>(sizes, entry.second);
        });
        sizes.leave();
    }
    static void write(writer& out, const T& value) {
        out.put_count(value.size());
        write_crossing(out, value, [](writer& own, const auto& entry) {
            write_value<key>(own, entry.first);
            write_value<mapped>(own, entry.second);
        });
    }
    static T read(decoder& in) {
        const std::size_t count = in.take_count<T, entry_bytes>();
        return read_nested(in, [&] { return read_each(in, count); });
    }

private:
    static T read_each(decoder& in, std::size_t count) {
        T result = make_with_room<T>(in, count);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t started = in.offset();
            append(result, in);
            check_inserted(result, i + 1, started);
            if constexpr (entry_bytes == 0)
                in.weigh<T>(started);
        }
        return result;
    }
    // A pair makes its key first.
    static void append(T& result, decoder& in) {
        if constexpr (made_by_conversion<key> && made_by_conversion<mapped>) {
            result.emplace_hint(next_place(result), deferred_value<key>{in},
                                deferred_value<mapped>{in});
        } else {
            key name = read_value<key>(in);
            result.emplace_hint(next_place(result), std::move(name), read_value<mapped>(in));
        }
    }
};

template <class T>
    requires(shape_of<T> == shape::set && rebuildable<T>)
struct codec<T> {
    using key = typename T::key_type;
    using parts = type_list<key>;
    static constexpr std::size_t min_bytes = count_bytes;

    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes);
        size_elements<key>(sizes, value, value.size());
    }
    static void write(writer& out, const T& value) {
        out.put_count(value.size());
        write_crossing(out, value, [](writer& own, const key& element) {
            write_value<key>(own, element);
        });
    }
    static T read(decoder& in) {
        const std::size_t count = in.take_count<key, detail::min_bytes<key>>();
        return read_nested(in, [&] { return read_each(in, count); });
    }

private:
    static T read_each(decoder& in, std::size_t count) {
        T result = make_with_room<T>(in, count);
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t started = in.offset();
            result.emplace_hint(next_place(result), read_element<key>(in));
            check_inserted(result, i + 1, started);
        }
        return result;
    }
};

constexpr std::size_t bytes_of_bits(std::size_t bits) {
    return bits / 8 + (bits % 8 != 0 ? 1 : 0);
}

/// Writes eight truth values to a byte; bits beyond the last are zero.
template <class Bits>
void write_bits(writer& out, const Bits& bits) {
    for (std::size_t at = 0; at < bits.size(); at += 8) {
        unsigned byte = 0;
        for (std::size_t bit = 0; bit < 8 && at + bit < bits.size(); ++bit)
            byte |= static_cast<unsigned>(bits[at + bit]) << bit;
        out.put_value(static_cast<std::byte>(byte));
    }
}

template <class Bits>
void read_bits(decoder& in, Bits& bits, std::size_t count) {
    const std::size_t at = in.offset();
    const std::byte* const packed = in.take<Bits>(bytes_of_bits(count));
    for (std::size_t i = 0; i < count; ++i)
        bits[i] = (packed[i / 8] >> (i % 8) & std::byte{1}) != std::byte{0};
    if (count % 8 == 0)
        return;
    const auto last = std::to_integer<unsigned>(packed[count / 8]);
    if (last >> (count % 8) != 0)
        throw_unexpected("no bits after the last", spelling_of<Bits>(), at + count / 8, last);
}

template <class T>
    requires(shape_of<T> == shape::packed_bools)
struct codec<T> {
    static constexpr std::size_t min_bytes = count_bytes;
    static void size(sizer& sizes, const T& value) {
        sizes.add(count_bytes);
        sizes.add(bytes_of_bits(value.size()));
    }
    static void write(writer& out, const T& value) {
        out.put_count(value.size());
        write_bits(out, value);
    }
    static T read(decoder& in) {
        const std::size_t at = in.offset();
        const std::size_t count = in.take_count<T, 0>();
        if (bytes_of_bits(count) > in.remaining())
            throw_count(spelling_of<T>(), at, count, in.remaining());
        T result(count);
        read_bits(in, result, count);
        return result;
    }
};

template <class T>
    requires(shape_of<T> == shape::bitset)
struct codec<T> {
    static constexpr std::size_t min_bytes = bytes_of_bits(T{}.size());
    static constexpr bool fixed = true;
    static void size(sizer& sizes, const T&) { sizes.add(min_bytes); }
    static void write(writer& out, const T& value) { write_bits(out, value); }
    static T read(decoder& in) {
        T result;
        read_bits(in, result, result.size());
        return result;
    }
};

}  // namespace multiprocessing::detail
