// SPDX-License-Identifier: MIT
// The elements of a range that a pool works on: where they lie, and what they are copied to.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/detail/result_job.hpp>

namespace multiprocessing::detail {

/// What an element of a range is copied to: a vector of bool has none that could be referred to,
/// and the key in a map's element is const.
template <class T>
struct kept_element {
    using type = T;
};
template <>
struct kept_element<bool> {
    using type = char;
};
template <class Key, class Value>
struct kept_element<std::pair<const Key, Value>> {
    using type = std::pair<Key, Value>;
};
template <class T>
using kept_element_t = typename kept_element<T>::type;

/// The elements of a range, to be had by their place: the range itself where it allows that.
template <class Range>
class indexed_elements {
public:
    using element = std::ranges::range_value_t<Range>;
    static constexpr bool contiguous =
        std::ranges::contiguous_range<const Range> && std::ranges::sized_range<const Range>;

    explicit indexed_elements(Range range) : range_(std::move(range)) {}

    std::size_t size() const { return static_cast<std::size_t>(std::ranges::size(range_)); }
    decltype(auto) operator[](std::size_t place) const {
        return std::ranges::begin(
            range_)[static_cast<std::ranges::range_difference_t<Range>>(place)];
    }
    const element* data() const requires contiguous { return std::ranges::data(range_); }

private:
    Range range_;
};

template <class Range>
constexpr bool ends_quietly<indexed_elements<Range>> = ends_quietly<Range>;

}  // namespace multiprocessing::detail
