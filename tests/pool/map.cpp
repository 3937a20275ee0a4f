// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <array>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

bool is_even(int x) {
    return x % 2 == 0;
}

bool negate(bool x) {
    return !x;
}

std::string shout(const std::string& text) {
    return text + "!";
}

void nothing(int) {}

int own_pid(int) {
    return mp::os::getpid();
}

int throw_at_fifty(int x) {
    if (x == 50)
        throw std::out_of_range("fifty");
    return x;
}

std::vector<int> numbers(int count) {
    std::vector<int> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), 0);
    return values;
}

std::vector<int> squares(int count) {
    std::vector<int> values;
    for (int i = 0; i < count; ++i)
        values.push_back(i * i);
    return values;
}

/// Gives 0, 1, 2 and then throws.
struct failing_iterator {
    using value_type = int;
    using difference_type = std::ptrdiff_t;
    int at = 0;
    int operator*() const {
        if (at == 3)
            throw std::runtime_error("the range is broken");
        return at;
    }
    failing_iterator& operator++() {
        ++at;
        return *this;
    }
    failing_iterator operator++(int) {
        failing_iterator before = *this;
        ++at;
        return before;
    }
    bool operator==(const failing_iterator&) const = default;
};

}  // namespace

TEST_CASE("pool: map keeps the order, whatever the chunks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    CHECK(pool.map(square, numbers(1000)) == squares(1000));
    for (const int chunk : {1, 2, 7, 999, 1000, 1001, 100000})
        CHECK(pool.map(square, numbers(1000), {.chunksize = chunk}) == squares(1000));
    CHECK(pool.map(square, numbers(100), {.chunksize = std::numeric_limits<long long>::max()}) ==
          squares(100));
}

TEST_CASE("pool: map_async keeps the order and its range") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    auto values = numbers(100);
    const auto result = pool.map_async(square, values, {.chunksize = 1});
    values.assign(100, -1);
    CHECK(result.get() == squares(100));
    CHECK(pool.map_async(square, numbers(5)).get() == squares(5));
}

TEST_CASE("pool: a map of nothing is nothing, at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.map(square, std::vector<int>{}).empty());
    CHECK(pool.map(square, std::vector<int>{}, {.chunksize = 20}).empty());
    pool.map(nothing, std::vector<int>{});
    const auto result = pool.map_async(square, std::vector<int>{});
    CHECK(result.ready());
    CHECK(result.successful());
    CHECK(result.get().empty());
}

TEST_CASE("pool: a function of nothing maps to nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    static_assert(std::is_void_v<decltype(pool.map(nothing, numbers(10)))>);
    pool.map(nothing, numbers(10));
    CHECK(pool.map_async(nothing, numbers(10)).get().size() == 10);
}

TEST_CASE("pool: map takes every kind of range") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const std::vector<int> expected{0, 1, 4, 9};
    CHECK(pool.map(square, std::array{0, 1, 2, 3}) == expected);
    CHECK(pool.map(square, std::deque{0, 1, 2, 3}) == expected);
    CHECK(pool.map(square, std::list{0, 1, 2, 3}) == expected);
    CHECK(pool.map(square, std::set{0, 1, 2, 3}) == expected);
    CHECK(pool.map(square, std::views::iota(0, 4)) == expected);
    CHECK(pool.map(square, std::views::iota(0) | std::views::take(4)) == expected);
    const int array[] = {0, 1, 2, 3};
    CHECK(pool.map(square, array) == expected);
    CHECK(pool.map(square, std::span(array)) == expected);
    std::vector<int> values = numbers(8);
    auto filtered = values | std::views::filter([](int x) { return x < 4; });
    CHECK(pool.map(square, filtered) == expected);
    CHECK(pool.map_async(square, filtered).get() == expected);
    CHECK(pool.map(square, values | std::views::reverse).front() == 49);
    std::istringstream text("0 1 2 3");
    CHECK(pool.map(square, std::ranges::istream_view<int>(text)) == expected);
}

TEST_CASE("pool: elements and results of booleans, strings and pairs") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.map(is_even, numbers(3)) == std::vector<bool>{true, false, true});
    CHECK(pool.map(negate, std::vector<bool>{true, false}) == std::vector<bool>{false, true});
    CHECK(pool.map(shout, std::vector<std::string>{"a", "b"}) ==
          std::vector<std::string>{"a!", "b!"});
    const std::map<std::string, int> ages{{"a", 1}, {"b", 2}};
    CHECK(pool.map([](const std::pair<std::string, int>& age) { return age.second; }, ages) ==
          std::vector<int>{1, 2});
}

TEST_CASE("pool: the elements of a lazy range are computed once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    int calls = 0;
    const auto longer = [&calls](int) {
        return std::string(static_cast<std::size_t>(++calls), 'x');
    };
    const auto texts = pool.map(shout, std::views::iota(0, 50) | std::views::transform(longer));
    CHECK(calls == 50);
    REQUIRE(texts.size() == 50);
    CHECK(texts[49].size() == 51);
}

TEST_CASE("pool: what a range throws is thrown, and the pool goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const std::ranges::subrange broken(failing_iterator{}, failing_iterator{9});
    CHECK_THROWS_WITH(pool.map(square, broken), "the range is broken");
    CHECK_THROWS_WITH(pool.map_async(square, broken), "the range is broken");
    CHECK(pool.map(square, numbers(9)) == squares(9));
}

TEST_CASE("pool: a map whose function throws fails as a whole, after the rest has run") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.map(throw_at_fifty, numbers(100)), std::out_of_range);
    const auto result = pool.map_async(throw_at_fifty, numbers(100), {.chunksize = 1});
    CHECK_THROWS_WITH(result.get(), "fifty");
    CHECK_FALSE(result.successful());
    CHECK(pool.map(throw_at_fifty, numbers(50)) == numbers(50));
}

TEST_CASE("pool: a chunk runs in one worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    const auto pids = pool.map(own_pid, numbers(12), {.chunksize = 4});
    for (std::size_t i = 0; i < 12; ++i)
        CHECK(pids[i] == pids[i / 4 * 4]);
}

TEST_CASE("pool: a map of very many short tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.map(square, numbers(30000), {.chunksize = 1}) == squares(30000));
}
