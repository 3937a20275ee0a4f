// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
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

int fail(int x) {
    throw std::out_of_range("no " + std::to_string(x));
}

void nothing() {}

template <class E>
bool is_an(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const E&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace

TEST_CASE("pool: a callback has been told the result before get returns") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 200; ++i) {
        int told = -1;
        const auto result =
            pool.apply_async(square, mp::args(i), {.callback = [&](int value) { told = value; }});
        CHECK(result.get() == i * i);
        CHECK(told == i * i);
    }
}

TEST_CASE("pool: each callback is called once, by one thread, with its own result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    std::vector<int> told;  // Without a lock: they are called one at a time.
    for (int i = 0; i < 500; ++i)
        pool.apply_async(square, mp::args(i),
                         {.callback = [&](int value) { told.push_back(value); }});
    pool.close();
    pool.join();
    CHECK(told.size() == 500);
    long long sum = 0;
    for (const int value : told)
        sum += value;
    CHECK(sum == 499LL * 500 * 999 / 6);
}

TEST_CASE("pool: an error callback is told the error, the other callback is not called") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::exception_ptr told;
    bool called = false;
    const auto result =
        pool.apply_async(fail, mp::args(3),
                         {.callback = [&](int) { called = true; },
                          .error_callback = [&](std::exception_ptr error) { told = error; }});
    CHECK_THROWS_WITH(result.get(), "no 3");
    REQUIRE(told);
    CHECK(is_an<std::out_of_range>(told));
    CHECK_FALSE(called);
    const auto lost =
        pool.apply_async([] { mp::os::_exit(1); }, mp::args(),
                         {.error_callback = [&](std::exception_ptr error) { told = error; }});
    CHECK_THROWS_AS(lost.get(), mp::WorkerLostError);
    CHECK(is_an<mp::WorkerLostError>(told));
}

TEST_CASE("pool: callbacks of maps get the whole, of nothing nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<int> whole;
    const auto keep = [&](const std::vector<int>& values) { whole = values; };
    const auto mapped = pool.map_async(square, std::vector<int>{1, 2, 3}, {.callback = keep});
    CHECK(mapped.get() == std::vector<int>{1, 4, 9});
    CHECK(whole == std::vector<int>{1, 4, 9});
    const auto none = pool.map_async(square, std::vector<int>{}, {.callback = keep});
    CHECK(none.get().empty());
    CHECK(whole.empty());
    std::vector<std::string> texts;
    const auto said = pool.map_async(
        [](int x) { return std::to_string(x); }, std::vector<int>{1, 2},
        {.callback = [&](const std::vector<std::string>& values) { texts = values; }});
    CHECK(said.get() == std::vector<std::string>{"1", "2"});
    CHECK(texts == std::vector<std::string>{"1", "2"});
    bool called = false;
    pool.apply_async(nothing, mp::args(), {.callback = [&] { called = true; }}).wait();
    CHECK(called);
}

TEST_CASE("pool: a result that cannot be copied is shown to the callback and given to get") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int seen = 0;
    const auto result =
        pool.apply_async([](int x) { return std::make_unique<int>(x); }, mp::args(5),
                         {.callback = [&](const std::unique_ptr<int>& value) { seen = *value; }});
    CHECK(*result.get() == 5);
    CHECK(seen == 5);
}

// CPython's thread of results dies of it, and the pool hangs.
TEST_CASE("pool: a callback that throws harms nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 20; ++i)
        results.push_back(pool.apply_async(square, mp::args(i), {.callback = [](int value) {
                                               if (value % 2 == 0)
                                                   throw std::runtime_error("the callback's own");
                                               throw value;
                                           }}));
    for (int i = 0; i < 20; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
    CHECK_THROWS_WITH(
        pool.apply_async(fail, mp::args(1), {.error_callback = [](std::exception_ptr) { throw 1; }})
            .get(),
        "no 1");
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

TEST_CASE("pool: a callback may use the pool, and wait for other results") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    int sum = 0;
    const auto result = pool.apply_async(square, mp::args(3), {.callback = [&](int value) {
                                             sum += pool.apply(square, mp::args(value));
                                             sum += pool.map(square, std::vector<int>{1, 1}).at(1);
                                         }});
    CHECK(result.get() == 9);
    CHECK(sum == 82);
}

TEST_CASE("pool: callbacks that each submit the next task make a chain") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::atomic<int> links{0};
    std::function<void(int)> next = [&](int) {
        if (++links < 500)
            pool.apply_async(square, mp::args(links.load()), {.callback = next});
    };
    pool.apply_async(square, mp::args(0), {.callback = next});
    while (links < 500)
        std::this_thread::yield();
    pool.close();
    pool.join();
    CHECK(links == 500);
}

TEST_CASE("pool: a callback that submits where a worker was lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::atomic<int> value{0};
    const auto lost = pool.apply_async(
        [] { mp::os::_exit(2); }, mp::args(),
        {.error_callback = [&](std::exception_ptr) { value = pool.apply(square, mp::args(6)); }});
    CHECK_THROWS_AS(lost.get(), mp::WorkerLostError);
    CHECK(value == 36);
}

TEST_CASE("pool: terminate tells the error callbacks of what had not ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::atomic<int> told{0};
    for (int i = 0; i < 10; ++i)
        pool.apply_async([] { std::this_thread::sleep_for(24h); }, mp::args(),
                         {.error_callback = [&](std::exception_ptr error) {
                             told += is_an<mp::ProcessError>(error);
                         }});
    pool.terminate();
    pool.join();
    CHECK(told == 10);
}

// The call asked the object for its pool once more after the work was given out.
TEST_CASE("pool: a callback may let go of the pool before apply_async has returned") {
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (int round = 0; round < 30; ++round) {
        auto pool = std::make_unique<mp::Pool>(1, mp::pool_options{.start_method = method});
        std::atomic<bool> gone{false};
        mp::Pool& here = *pool;
        const auto result = here.apply_async(square, mp::args(3), {.callback = [&](int) {
                                                 pool.reset();
                                                 gone = true;
                                             }});
        support::await([&] { return gone.load(); });
        CHECK(result.get() == 9);
    }
}
