// SPDX-License-Identifier: MIT
// The elements of a range, one at a time, as late as can be.
#pragma once

#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/elements.hpp>

namespace multiprocessing::detail {

/// `Range` is an lvalue reference for a range that is the caller's, else it is kept here.
template <class Range>
class element_source {
public:
    using range = std::remove_reference_t<Range>;
    using element = kept_element_t<std::ranges::range_value_t<range>>;

    explicit element_source(Range&& from) : range_(hold(from)) {}
    element_source(const element_source&) = delete;
    element_source& operator=(const element_source&) = delete;

    /// Appends the next element; false if there is none. Throws what the range throws. The range is
    /// asked for an element only when it is wanted: to look for one more may take long.
    bool take(std::vector<element>& into) {
        if (!at_)
            at_.emplace(std::ranges::begin(get()));
        else
            ++*at_;
        if (*at_ == std::ranges::end(get()))
            return false;
        into.push_back(static_cast<element>(**at_));
        return true;
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
    range& get() noexcept {
        if constexpr (refers)
            return *range_;
        else
            return range_;
    }

    held range_;
    std::optional<std::ranges::iterator_t<range>> at_;
};

}  // namespace multiprocessing::detail
