// SPDX-License-Identifier: MIT
// What is done is let go of, by the pool and in its workers.
#include <multiprocessing/pool.hpp>

#include <ranges>
#include <vector>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using support::await_none_alive;
using support::counted;
using support::pass;
using support::ten;

TEST_CASE("pool: maps and streams that are done keep neither elements nor results") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.map(pass, ten()).size() == 10);
    await_none_alive();
    CHECK(pool.map(pass, std::vector<counted>(10)).size() == 10);
    await_none_alive();
    CHECK(pool.map_async(pass, ten(), {.chunksize = 1}).get().size() == 10);
    await_none_alive();
    pool.map_async(pass, ten());
    await_none_alive();
    auto results = pool.imap(pass, ten());
    for (int i = 0; i < 10; ++i)
        CHECK(results.next().value().number == i);
    CHECK_FALSE(results.next());
    await_none_alive();
    auto unordered = pool.imap_unordered(pass, ten(), {.chunksize = 3});
    for (int i = 0; i < 10; ++i)
        CHECK(unordered.next());
    CHECK_FALSE(unordered.next());
    await_none_alive();
}

TEST_CASE("pool: a worker keeps neither elements nor results when its chunk is done") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    for (int chunk = 1; chunk <= 10; ++chunk) {
        CHECK(pool.map(pass, ten(), {.chunksize = chunk}).size() == 10);
        CHECK(pool.apply(support::counted_alive) == 0);
    }
}
