// SPDX-License-Identifier: MIT
// The user's `serialize` functions, and the archives they are given.
#pragma once

#include <cstddef>
#include <type_traits>

#include <multiprocessing/detail/codec/decoder.hpp>
#include <multiprocessing/detail/codec/wire.hpp>

namespace multiprocessing::detail {

template <class T>
void size_value(sizer& sizes, const T& value);
template <class T>
void write_value(writer& out, const T& value);
template <class T>
void read_into(decoder& in, T& target);

/// What `serialize` is called with: `ar(a, b)` and `ar & a & b` name the members that cross. One
/// function serves all three passes; `Archive::is_loading` tells them apart where it must. The pass
/// that counts and the one that writes must name the same values, of the same sizes.
class sizing_archive {
public:
    using is_saving = std::true_type;
    using is_loading = std::false_type;

    explicit sizing_archive(sizer& sizes) noexcept : sizes_(sizes) {}

    template <class... Members>
    sizing_archive& operator()(const Members&... members) {
        (size_value(sizes_, members), ...);
        return *this;
    }
    template <class Member>
    sizing_archive& operator&(const Member& member) {
        return (*this)(member);
    }

private:
    sizer& sizes_;
};

class writing_archive {
public:
    using is_saving = std::true_type;
    using is_loading = std::false_type;

    explicit writing_archive(writer& out) noexcept : out_(out) {}

    template <class... Members>
    writing_archive& operator()(const Members&... members) {
        (write_value(out_, members), ...);
        return *this;
    }
    template <class Member>
    writing_archive& operator&(const Member& member) {
        return (*this)(member);
    }

private:
    writer& out_;
};

class reading_archive {
public:
    using is_saving = std::false_type;
    using is_loading = std::true_type;

    explicit reading_archive(decoder& in) noexcept : in_(in) {}

    template <class... Members>
    reading_archive& operator()(Members&... members) {
        (read_into(in_, members), ...);
        return *this;
    }
    template <class Member>
    reading_archive& operator&(Member& member) {
        return (*this)(member);
    }

private:
    decoder& in_;
};

// The hook in its four forms: a member or a free function (found by its argument's namespace), as
// cereal calls it or, with a version, as Boost does.
template <class T>
concept member_hook = requires(T& value, writing_archive& ar) { value.serialize(ar); };
template <class T>
concept versioned_member_hook = requires(T& value, writing_archive& ar) {
    value.serialize(ar, 0U);
};
template <class T>
concept free_hook = requires(T& value, writing_archive& ar) { serialize(ar, value); };
template <class T>
concept versioned_free_hook = requires(T& value, writing_archive& ar) { serialize(ar, value, 0U); };

template <class T>
concept hooked =
    member_hook<T> || versioned_member_hook<T> || free_hook<T> || versioned_free_hook<T>;

template <class T, class Archive>
void call_hook(T& value, Archive& archive) {
    if constexpr (member_hook<T>)
        value.serialize(archive);
    else if constexpr (versioned_member_hook<T>)
        value.serialize(archive, 0U);
    else if constexpr (free_hook<T>)
        serialize(archive, value);
    else
        serialize(archive, value, 0U);
}

}  // namespace multiprocessing::detail
