// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/algorithm.hpp>

#include <deque>
#include <memory>
#include <vector>

#include "support/catch.hpp"

namespace {

namespace detail = multiprocessing::detail;

const std::vector<int> sorted{1, 3, 3, 7};

constexpr bool less(int a, int b) {
    return a < b;
}

TEST_CASE("algorithm: find stops at the first, or at the end") {
    CHECK(detail::find(sorted.begin(), sorted.end(), 3) == sorted.begin() + 1);
    CHECK(detail::find(sorted.begin(), sorted.end(), 4) == sorted.end());
    const auto large = [](int x) { return x > 3; };
    CHECK(detail::find_if(sorted.begin(), sorted.end(), large) == sorted.begin() + 3);
    CHECK(detail::find_if(sorted.begin(), sorted.begin(), large) == sorted.begin());
}

TEST_CASE("algorithm: lower_bound finds where a value is or would stand") {
    const int places[] = {0, 0, 1, 1, 3, 3, 3, 3, 4};
    for (int value = 0; value < 9; ++value)
        CHECK(detail::lower_bound(sorted.begin(), sorted.end(), value, less) ==
              sorted.begin() + places[value]);
    CHECK(detail::lower_bound(sorted.begin(), sorted.begin(), 1, less) == sorted.begin());
}

TEST_CASE("algorithm: what is erased is gone, the others keep their order") {
    std::deque<int> numbers{1, 2, 3, 4, 5, 6};
    CHECK(detail::erase_if(numbers, [](int n) { return n % 2 == 0; }) == 3);
    CHECK(numbers == std::deque<int>{1, 3, 5});
    CHECK(detail::erase_if(numbers, [](int n) { return n > 5; }) == 0);
    CHECK(detail::erase_if(numbers, [](int) { return true; }) == 3);
    CHECK(numbers.empty());
    CHECK(detail::erase_if(numbers, [](int) { return true; }) == 0);
}

TEST_CASE("algorithm: erasing takes what can only be moved, and asks once of each") {
    std::vector<std::unique_ptr<int>> owners;
    for (int i = 0; i < 4; ++i)
        owners.push_back(std::make_unique<int>(i));
    int asked = 0;
    CHECK(detail::erase_if(owners, [&](const auto& one) { return ++asked, *one == 1; }) == 1);
    CHECK(asked == 4);
    CHECK(owners.size() == 3);
    CHECK(*owners[0] == 0);
    CHECK(*owners[1] == 2);
    CHECK(*owners[2] == 3);
}

TEST_CASE("algorithm: the smaller and the larger of two, the first of equals") {
    const int a = 1;
    const int b = 2;
    const int also_a = 1;
    CHECK(&detail::smaller_of(b, a) == &a);
    CHECK(&detail::larger_of(b, a) == &b);
    CHECK(&detail::smaller_of(a, also_a) == &a);
    CHECK(&detail::larger_of(a, also_a) == &a);
}

}  // namespace
