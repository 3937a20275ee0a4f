// SPDX-License-Identifier: MIT
// Ranges as pools hold them, by the concepts of <ranges> without its views, which take a compiler
// longer (GCC 12: 0.08 s a file) than many of our own headers.
#pragma once

#include <iterator>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include <multiprocessing/config.hpp>

#if !defined(MULTIPROCESSING_LIBSTDCXX)  // Whose <span> has the concepts, for its own use.
#include <ranges>
#endif

namespace multiprocessing::detail {

/// A range of the caller's where `Range` is an lvalue reference, else one that is kept here.
template <class Range>
class held_range {
public:
    using range = std::remove_reference_t<Range>;

    explicit held_range(Range&& from) : held_(hold(from)) {}

    range& get() noexcept {
        if constexpr (refers)
            return *held_;
        else
            return held_;
    }

private:
    static constexpr bool refers = std::is_lvalue_reference_v<Range>;
    using held = std::conditional_t<refers, range*, std::remove_const_t<range>>;

    static held hold(range& from) {
        if constexpr (refers)
            return std::addressof(from);
        else
            return std::move(from);
    }

    held held_;
};

/// Whether the elements of a range are known to lie in memory, as many as it says, so that to take
/// one is to copy it and no more: of containers, and of views that are contiguous. Other views may
/// run the user's code, also those whose elements are references.
template <class Range>
inline constexpr bool lies_in_memory =
    std::ranges::forward_range<Range> && std::ranges::sized_range<Range> &&
    std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>> &&
    (std::ranges::contiguous_range<Range> || !std::ranges::view<Range>);

/// What lies between the two ends of a range that stays where it is.
template <class Iterator, class Sentinel>
class lent_range {
public:
    lent_range(Iterator begin, Sentinel end) : begin_(std::move(begin)), end_(std::move(end)) {}

    Iterator begin() const { return begin_; }
    Sentinel end() const { return end_; }

private:
    Iterator begin_;
    Sentinel end_;
};

}  // namespace multiprocessing::detail
