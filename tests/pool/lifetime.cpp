// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

int own_pid(int) {
    return mp::os::getpid();
}

}  // namespace

TEST_CASE("pool: workers end after their tasks and others take their place") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(3, {.maxtasksperchild = 10, .start_method = method});
    const auto before = pool.worker_pids();
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 100; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    for (int i = 0; i < 100; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
    const auto after = pool.worker_pids();
    for (const int pid : before)
        CHECK(std::set<int>(after.begin(), after.end()).count(pid) == 0);
}

TEST_CASE("pool: no worker runs more tasks than it may, chunks are tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.maxtasksperchild = 3, .start_method = EVERY_START_METHOD});
    std::vector<int> counted;
    for (const int chunk : {1, 4}) {
        const auto pids = pool.map(own_pid, std::vector<int>(60, 0), {.chunksize = chunk});
        std::multiset<int> count(pids.begin(), pids.end());
        for (const int pid : std::set<int>(pids.begin(), pids.end()))
            CHECK(count.count(pid) <= static_cast<std::size_t>(3 * chunk));
    }
}

TEST_CASE("pool: a pool whose workers have one task each can be closed with work waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.maxtasksperchild = 1, .start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 20; ++i)
        results.push_back(pool.apply_async(own_pid, mp::args(0)));
    pool.close();
    pool.join();
    std::set<int> pids;
    for (const auto& result : results)
        pids.insert(result.get());
    CHECK(pids.size() == 20);
}

TEST_CASE("pool: a worker that dies before its time costs its task only") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.maxtasksperchild = 2, .start_method = EVERY_START_METHOD});
    for (int i = 0; i < 6; ++i) {
        CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    }
}

TEST_CASE("pool: less than one task a worker is a ValueError") {
    CHECK_THROWS_AS(mp::Pool(1, {.maxtasksperchild = 0}), mp::ValueError);
    CHECK_THROWS_AS(mp::Pool(1, {.maxtasksperchild = -1}), mp::ValueError);
    CHECK_THROWS_AS(mp::Pool(1, {.maxtasksperchild = std::numeric_limits<long long>::min()}),
                    mp::ValueError);
}
