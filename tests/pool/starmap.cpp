// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int subtract(int a, int b) {
    return a - b;
}

std::string join(const std::string& key, int value) {
    return key + std::to_string(value);
}

void nothing(int, int) {}

int divide(int a, int b) {
    if (b == 0)
        throw std::domain_error("by zero");
    return a / b;
}

using pairs = std::vector<std::tuple<int, int>>;

}  // namespace

TEST_CASE("pool: starmap gives what is in an element as arguments") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.starmap(subtract, pairs{{5, 1}, {5, 2}, {5, 3}}) == std::vector<int>{4, 3, 2});
    CHECK(pool.starmap(subtract, pairs{{5, 1}, {5, 2}, {5, 3}}, {.chunksize = 1}) ==
          std::vector<int>{4, 3, 2});
    CHECK(pool.starmap(subtract, std::vector<std::pair<int, int>>{{7, 3}}) == std::vector<int>{4});
    CHECK(pool.starmap(subtract, std::vector<std::array<int, 2>>{{9, 3}}) == std::vector<int>{6});
    const std::map<std::string, int> ages{{"a", 1}, {"b", 2}};
    CHECK(pool.starmap(join, ages) == std::vector<std::string>{"a1", "b2"});
    CHECK(pool.starmap([](int a, int b, int c) { return a * b * c; },
                       std::vector{std::tuple(1, 2, 3)}) == std::vector<int>{6});
    CHECK(pool.starmap(subtract, pairs{}).empty());
}

TEST_CASE("pool: starmap_async gives the same later") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.starmap_async(subtract, pairs(1000, {3, 1}), {.chunksize = 7});
    CHECK(result.get() == std::vector<int>(1000, 2));
    int sum = 0;
    const auto told = pool.starmap_async(subtract, pairs(10, {3, 1}),
                                         {.callback = [&](const std::vector<int>& values) {
                                             for (const int value : values)
                                                 sum += value;
                                         }});
    told.wait();
    CHECK(sum == 20);
}

TEST_CASE("pool: starmap of nothing returned and of errors") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    static_assert(std::is_void_v<decltype(pool.starmap(nothing, pairs{}))>);
    pool.starmap(nothing, pairs{{1, 2}, {3, 4}});
    CHECK_THROWS_AS(pool.starmap(divide, pairs{{1, 1}, {1, 0}}), std::domain_error);
    CHECK_THROWS_AS(pool.starmap(divide, pairs{{1, 1}}, {.chunksize = 0}), mp::ValueError);
    CHECK(pool.starmap(divide, pairs{{6, 2}}) == std::vector<int>{3});
}
