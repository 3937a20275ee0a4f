// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/limited_stream.hpp>
#include <multiprocessing/detail/range.hpp>

#include <array>
#include <forward_list>
#include <list>
#include <map>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace {

using multiprocessing::detail::lies_in_memory;
using multiprocessing::detail::zipped;

int& first_of(std::vector<int>& row) {
    return row.front();
}

template <class Range, class F>
using transformed = decltype(std::declval<Range&>() | std::views::transform(std::declval<F>()));

TEST_CASE("range: containers and contiguous views are known to lie in memory") {
    STATIC_REQUIRE(lies_in_memory<std::vector<int>>);
    STATIC_REQUIRE(lies_in_memory<const std::vector<std::string>>);
    STATIC_REQUIRE(lies_in_memory<std::list<int>>);
    STATIC_REQUIRE(lies_in_memory<std::map<int, int>>);
    STATIC_REQUIRE(lies_in_memory<std::array<int, 3>>);
    STATIC_REQUIRE(lies_in_memory<int[3]>);
    STATIC_REQUIRE(lies_in_memory<std::span<const int>>);
    STATIC_REQUIRE(lies_in_memory<zipped<std::vector<int>&, std::list<int>>>);
}

TEST_CASE("range: what may run code for an element, or has no size, is not") {
    STATIC_REQUIRE_FALSE(lies_in_memory<std::ranges::iota_view<int, int>>);
    STATIC_REQUIRE_FALSE(lies_in_memory<std::ranges::iota_view<int>>);
    STATIC_REQUIRE_FALSE(lies_in_memory<std::vector<bool>>);
    STATIC_REQUIRE_FALSE(lies_in_memory<std::forward_list<int>>);
    using rows = std::vector<std::vector<int>>;
    STATIC_REQUIRE_FALSE(lies_in_memory<transformed<rows, decltype(&first_of)>>);
    STATIC_REQUIRE_FALSE(lies_in_memory<transformed<std::vector<int>, int (*)(int)>>);
    STATIC_REQUIRE_FALSE(lies_in_memory<zipped<std::vector<int>, std::ranges::iota_view<int, int>>>);
}

}  // namespace
