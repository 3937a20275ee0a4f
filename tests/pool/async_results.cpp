// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
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

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

int sleep_and_return(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

std::unique_ptr<int> boxed(int value) {
    return std::make_unique<int>(value);
}

}  // namespace

TEST_CASE("pool: apply_async returns before the task has run") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_for_ever);
    CHECK_FALSE(result.ready());
    CHECK_THROWS_AS(result.successful(), mp::ValueError);
}

TEST_CASE("pool: a result can be had many times, in any order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 200; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    for (int i = 199; i >= 0; --i) {
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
        CHECK(results[static_cast<std::size_t>(i)].get(0s) == i * i);
        CHECK(results[static_cast<std::size_t>(i)].successful());
    }
}

TEST_CASE("pool: a result comes though nobody waits for it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 1000; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    support::await([&] { return results.back().ready(); });
    support::await([&] {
        return std::all_of(results.begin(), results.end(), [](auto& r) { return r.ready(); });
    });
    CHECK(results[31].get() == 961);
}

TEST_CASE("pool: get gives up after its timeout, and waits at least as long") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_for_ever);
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(result.get(50ms), mp::TimeoutError);
    CHECK(std::chrono::steady_clock::now() - start >= 50ms);
    CHECK_FALSE(result.wait(10ms));
    CHECK_FALSE(result.ready());
}

TEST_CASE("pool: a timeout of nothing or less asks without waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_for_ever);
    CHECK_THROWS_AS(result.get(0s), mp::TimeoutError);
    CHECK_THROWS_AS(result.get(-1s), mp::TimeoutError);
    CHECK_THROWS_AS(result.get(std::chrono::nanoseconds::min()), mp::TimeoutError);
    CHECK_FALSE(result.wait(0s));
}

TEST_CASE("pool: a timeout beyond what the clock counts is none") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply_async(square, mp::args(3)).get(std::chrono::nanoseconds::max()) == 9);
}

TEST_CASE("pool: after a wait that gave up the result comes all the same") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_and_return, mp::args(100));
    CHECK_FALSE(result.wait(1ms));
    support::await([&] { return result.ready(); });
    CHECK(result.get() == 100);
}

// The pool's thread made way for a wait with a limit; where that ended at the moment at which it
// was called to take over, nobody did, and ready() never came true.
TEST_CASE("pool: results come after any number of waits that gave up") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int round = 0; round < 100; ++round) {
        std::vector<mp::AsyncResult<int>> results;
        for (int i = 0; i < 20; ++i)
            results.push_back(pool.apply_async(sleep_and_return, mp::args(i % 2)));
        for (int i = 0; i < 20; ++i)
            results.back().wait(std::chrono::microseconds(i * 7));
        support::await([&] {
            return std::all_of(results.begin(), results.end(), [](auto& r) { return r.ready(); });
        });
    }
}

// While replies to other tasks kept coming the waiter's own time was not looked at.
TEST_CASE("pool: a wait gives up though other results keep coming") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto stuck = pool.apply_async(sleep_for_ever);
    std::vector<int> numbers(300000);
    const auto others = pool.map_async(square, numbers, {.chunksize = 1});
    CHECK_FALSE(stuck.wait(10ms));
    CHECK_FALSE(others.ready());
    CHECK_FALSE(stuck.wait(0s));
    pool.terminate();
}

TEST_CASE("pool: results that nobody keeps cost nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 1000; ++i)
        pool.apply_async(square, mp::args(i));
    CHECK(pool.apply(square, mp::args(5)) == 25);
}

TEST_CASE("pool: a result that can only be moved is given once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(boxed, mp::args(3));
    CHECK(*result.get() == 3);
    CHECK_THROWS_AS(result.get(), mp::ValueError);
    const auto results = pool.map_async(boxed, std::vector<int>{1, 2});
    CHECK(*results.get().at(1) == 2);
    CHECK_THROWS_AS(results.get(), mp::ValueError);
}

TEST_CASE("pool: what a task is made of does not outlive it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto kept = std::make_shared<int>(7);
    const auto result =
        pool.apply_async([](const std::shared_ptr<int>& x) { return *x; }, mp::args(kept));
    CHECK(result.get() == 7);
    pool.apply_async([](const std::shared_ptr<int>& x) { return *x; }, mp::args(kept));
    pool.apply([](const std::shared_ptr<int>& x) { return *x; }, mp::args(kept));
    support::await([&] { return kept.use_count() == 2; });  // Here, and in `result`.
}

TEST_CASE("pool: a result outlives its pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::vector<mp::AsyncResult<int>> results;
    {
        mp::Pool pool(1, {.start_method = method});
        results.push_back(pool.apply_async(square, mp::args(4)));
        CHECK(results[0].get() == 16);
        pool.apply_async(sleep_for_ever);
        results.push_back(pool.apply_async(square, mp::args(5)));
    }
    CHECK(results[0].get() == 16);
    CHECK(results[1].ready());
    CHECK_THROWS_WITH(results[1].get(), "the pool was terminated");
}
