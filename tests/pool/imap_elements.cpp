// SPDX-License-Identifier: MIT
// What an imap makes of ranges that are slow.
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <optional>
#include <ranges>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int never_return(int) {
    support::run_for_ever();
}

/// Numbers each of which takes a millisecond to come, and how many have come.
auto slow_numbers(int count, int& taken) {
    return std::views::iota(0, count) | std::views::transform([&taken](int x) {
               std::this_thread::sleep_for(1ms);
               taken = x + 1;
               return x;
           });
}

}  // namespace

// Elements were handed over, and more of them asked for, as long as the range had some: the time
// was looked at only when all the places, 256 a worker, were full.
TEST_CASE("pool: next times out although the range goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto results = pool.imap(never_return, slow_numbers(100000, taken));
    CHECK_THROWS_AS(results.next(10ms), mp::TimeoutError);
    CHECK_THROWS_AS(results.next(0s), mp::TimeoutError);
    CHECK(taken < 200);
    auto unordered = pool.imap_unordered(never_return, slow_numbers(100000, taken));
    CHECK_THROWS_AS(unordered.next(10ms), mp::TimeoutError);
    CHECK(taken < 200);
}

TEST_CASE("pool: a chunk that takes longer than next may wait is made whole later") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto stuck = pool.imap(never_return, slow_numbers(100000, taken), {.chunksize = 100});
    CHECK_THROWS_AS(stuck.next(5ms), mp::TimeoutError);
    CHECK(taken < 200);
    std::vector<int> values;
    std::vector<int> expected;
    mp::Pool other(1, {.start_method = mp::get_all_start_methods().front()});
    auto results = other.imap(square, slow_numbers(250, taken), {.chunksize = 100});
    for (int i = 0; i < 250; ++i) {
        expected.push_back(i * i);
        std::optional<int> value;
        while (!value)
            try {
                value = results.next(2ms);
                REQUIRE(value);
            } catch (const mp::TimeoutError&) {  // Asked again.
            }
        values.push_back(*value);
    }
    CHECK(values == expected);
    CHECK_FALSE(results.next());
}
