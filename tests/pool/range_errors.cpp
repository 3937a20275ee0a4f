// SPDX-License-Identifier: MIT
// What a range throws was thrown here: it is no error of a worker's, whatever its type.
#include <multiprocessing/pool.hpp>

#include <ranges>
#include <stdexcept>
#include <tuple>

#include <multiprocessing/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace app {

/// From a worker it would arrive as a RemoteError.
struct broken_range : std::runtime_error {
    broken_range() : std::runtime_error("the range is broken") {}
};

}  // namespace app

namespace {

int square(int x) {
    return x * x;
}

int subtract(int a, int b) {
    return a - b;
}

/// 0, 1, 2 and so on; throws in the place of `at`.
auto broken_at(int at) {
    return std::views::iota(0) | std::views::transform([at](int x) {
               if (x == at)
                   throw app::broken_range();
               return x;
           });
}

template <class Stream>
void expect_break(Stream results, int after) {
    for (int i = 0; i < after; ++i)
        CHECK(results.next());
    CHECK_THROWS_AS(results.next(), app::broken_range);
    CHECK_FALSE(results.next());
}

template <class Pool>
void expect_breaks(Pool& pool) {
    const auto pairs = broken_at(2) | std::views::transform([](int x) { return std::tuple(x, 1); });
    for (const int at : {0, 1, 7}) {
        CHECK_THROWS_AS(pool.map(square, broken_at(at)), app::broken_range);
        CHECK_THROWS_AS(pool.map_async(square, broken_at(at)), app::broken_range);
        for (const int chunk : {1, 3}) {
            expect_break(pool.imap(square, broken_at(at), {.chunksize = chunk}), at);
            expect_break(pool.imap_unordered(square, broken_at(at), {.chunksize = chunk}), at);
        }
        CHECK(pool.apply(square, mp::args(3)) == 9);
    }
    CHECK_THROWS_AS(pool.starmap(subtract, pairs), app::broken_range);
    CHECK_THROWS_AS(pool.starmap_async(subtract, pairs), app::broken_range);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

}  // namespace

TEST_CASE("pool: what a range throws arrives as itself, and the pool goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    expect_breaks(pool);
}

TEST_CASE("thread pool: what a range throws arrives as itself, and the pool goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    expect_breaks(pool);
}
