// SPDX-License-Identifier: MIT
// The elements of a range, one at a time, as late as can be.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/elements.hpp>
#include <multiprocessing/detail/range.hpp>

namespace multiprocessing::detail {

template <class Range>
class element_source {
public:
    using range = std::remove_reference_t<Range>;
    using element = kept_element_t<std::ranges::range_value_t<range>>;

    explicit element_source(Range&& from) : range_(std::forward<Range>(from)) {}
    element_source(const element_source&) = delete;
    element_source& operator=(const element_source&) = delete;

    /// Appends the next element; false if there is none. Throws what the range throws. The range is
    /// asked for an element only when it is wanted: to look for one more may take long.
    bool take(std::vector<element>& into) {
        if (!at_)
            at_.emplace(std::ranges::begin(range_.get()));
        else
            ++*at_;
        if (*at_ == std::ranges::end(range_.get()))
            return false;
        into.push_back(static_cast<element>(**at_));
        return true;
    }

private:
    held_range<Range> range_;
    std::optional<std::ranges::iterator_t<range>> at_;
};

}  // namespace multiprocessing::detail
