// SPDX-License-Identifier: MIT
#include <multiprocessing/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <ranges>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

struct own_error {
    int number;
};

int throw_own(int x) {
    throw own_error{x};
}

}  // namespace

TEST_CASE(
    "thread pool: apply and apply_async, of nothing, of what cannot be copied, by reference") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    CHECK(pool.processes() == 2);
    CHECK(pool.apply(square, mp::args(3)) == 9);
    CHECK(pool.apply_async(square, mp::args(4)).get() == 16);
    int shared = 0;
    pool.apply([&shared] { shared = 5; });
    CHECK(shared == 5);
    int numbers[2] = {};
    pool.apply([](std::span<int> places) { places.back() = 7; }, mp::args(std::span(numbers)));
    CHECK(numbers[1] == 7);
    auto result = pool.apply_async([](std::unique_ptr<int> x) { return x; },
                                   mp::args(std::make_unique<int>(6)));
    CHECK(*result.get() == 6);
    CHECK_THROWS_AS(result.get(), mp::ValueError);
}

TEST_CASE("thread pool: exceptions arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    CHECK_THROWS_AS(pool.apply(throw_own, mp::args(1)), own_error);
    CHECK_THROWS_AS(pool.map(throw_own, std::vector<int>{1}), own_error);
    const auto result = pool.apply_async(throw_own, mp::args(1));
    result.wait();
    CHECK_FALSE(result.successful());
}

TEST_CASE("thread pool: map, starmap and their async twins keep the order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(3);
    std::vector<int> expected;
    for (int i = 0; i < 100; ++i)
        expected.push_back(i * i);
    CHECK(pool.map(square, std::views::iota(0, 100)) == expected);
    CHECK(pool.map(square, std::views::iota(0, 100), {.chunksize = 1}) == expected);
    CHECK(pool.map_async(square, std::views::iota(0, 100), {.chunksize = 7}).get() == expected);
    CHECK(pool.map(square, std::vector<int>{}).empty());
    CHECK(pool.map_async(square, std::vector<int>{}).ready());
    CHECK(pool.map([](bool x) { return !x; }, std::vector<bool>{true, false}) ==
          std::vector<bool>{false, true});
    const std::vector<std::pair<int, int>> pairs{{3, 1}, {5, 2}};
    const auto subtract = [](int a, int b) { return a - b; };
    CHECK(pool.starmap(subtract, pairs) == std::vector<int>{2, 3});
    CHECK(pool.starmap_async(subtract, pairs).get() == std::vector<int>{2, 3});
    std::atomic<int> count{0};
    pool.map([&](int) { ++count; }, std::views::iota(0, 10));
    CHECK(count == 10);
    CHECK_THROWS_AS(pool.map(square, pairs | std::views::keys, {.chunksize = 0}), mp::ValueError);
}

TEST_CASE("thread pool: imap in order, unordered, endless, with errors in their place") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    int at = 0;
    for (const int value : pool.imap(square, std::views::iota(0), {.buffersize = 5})) {
        CHECK(value == at * at);
        if (++at == 500)
            break;
    }
    std::multiset<int> seen;
    for (const int value : pool.imap_unordered(square, std::views::iota(0, 300), {.chunksize = 7}))
        seen.insert(value);
    CHECK(seen.size() == 300);
    auto results = pool.imap(
        [](int x) {
            if (x == 1)
                throw own_error{x};
            return x;
        },
        std::views::iota(0, 3));
    CHECK(results.next() == 0);
    CHECK_THROWS_AS(results.next(), own_error);
    CHECK(results.next() == 2);
    CHECK_FALSE(results.next());
    const auto broken = std::views::iota(0) | std::views::transform([](int x) {
                            if (x == 3)
                                throw std::runtime_error("the range is broken");
                            return x;
                        });
    auto to_three = pool.imap(square, broken, {.chunksize = 2});
    for (int i = 0; i < 3; ++i)
        CHECK(to_three.next() == i * i);
    CHECK_THROWS_WITH(to_three.next(), "the range is broken");
    CHECK_FALSE(to_three.next());
}

TEST_CASE("thread pool: next with a timeout") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::mutex gate;
    std::unique_lock closed(gate);
    mp::ThreadPool pool(1);
    auto results = pool.imap(
        [&](int x) {
            const std::lock_guard lock(gate);
            return x;
        },
        std::vector<int>{7});
    CHECK_THROWS_AS(results.next(0s), mp::TimeoutError);
    CHECK_THROWS_AS(results.next(1ms), mp::TimeoutError);
    closed.unlock();
    CHECK(results.next() == 7);
}

TEST_CASE("thread pool: callbacks, also such as throw or wait for other tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(1);
    int told = 0;
    CHECK(pool.apply_async(
                  square, mp::args(3),
                  {.callback = [&](int value) { told = value + pool.apply(square, mp::args(1)); }})
              .get() == 9);
    CHECK(told == 10);
    bool failed = false;
    const auto result = pool.apply_async(
        throw_own, mp::args(3), {.error_callback = [&](std::exception_ptr) { failed = true; }});
    CHECK_THROWS_AS(result.get(), own_error);
    CHECK(failed);
    CHECK(pool.apply_async(square, mp::args(2), {.callback = [](int) { throw 1; }}).get() == 4);
    std::size_t size = 1;
    pool.map_async(square, std::vector<int>{},
                   {.callback = [&](const std::vector<int>& values) { size = values.size(); }})
        .wait();
    CHECK(size == 0);
}

TEST_CASE("thread pool: close, terminate, join and the scope's end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    CHECK_THROWS_AS(mp::ThreadPool(0), mp::ValueError);
    mp::ThreadPool pool(2);
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 50; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    CHECK_THROWS_AS(pool.join(), mp::ValueError);
    pool.close();
    CHECK_THROWS_AS(pool.apply(square, mp::args(1)), mp::ValueError);
    pool.join();
    for (int i = 0; i < 50; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
    mp::ThreadPool other(1);
    std::mutex gate;
    std::unique_lock closed(gate);
    std::atomic<bool> begun{false};
    const auto first = other.apply_async([&] {
        begun = true;
        const std::lock_guard lock(gate);
    });
    const auto second = other.apply_async(square, mp::args(1));
    while (!begun)
        std::this_thread::yield();
    other.terminate();
    CHECK_THROWS_AS(second.get(), mp::ProcessError);
    closed.unlock();
    other.join();
    CHECK(first.successful());
}

TEST_CASE("thread pool: the initializer runs in each thread, or its error is reported") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::atomic<int> count{0};
    {
        mp::ThreadPool pool(3, {.initializer = {[&](int by) { count += by; }, mp::args(2)}});
        CHECK(pool.apply(square, mp::args(3)) == 9);
    }
    CHECK(count <= 6);
    mp::ThreadPool pool(2, {.initializer = [] { throw std::runtime_error("not today"); }});
    CHECK_THROWS_AS(pool.apply(square, mp::args(1)), mp::InitializerError);
    CHECK_THROWS_AS(pool.map(square, std::vector<int>(10, 1)), mp::InitializerError);
}

TEST_CASE("thread pool: a map's results need not be copied, also for a callback") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    const auto make = [](int x) { return std::make_unique<int>(x); };
    const auto made = pool.map(make, {1, 2, 3});
    REQUIRE(made.size() == 3);
    CHECK(*made[2] == 3);
    int told = 0;
    auto result = pool.map_async(make, std::vector{4, 5}, {.callback = [&](const auto& values) {
                                     told = *values.back();
                                 }});
    CHECK(*result.get().front() == 4);
    CHECK(told == 5);
    CHECK_THROWS_AS(result.get(), mp::ValueError);
}

TEST_CASE("thread pool: what only processes can do is refused") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(1);
    const std::vector<int> numbers{1};
    CHECK_THROWS_AS(pool.map(square, numbers, {.timeout = 1s}), mp::ValueError);
    CHECK_THROWS_AS(pool.map_async(square, numbers, {.retries = 1}), mp::ValueError);
    CHECK_THROWS_AS(pool.imap(square, numbers, {.timeout = 1s}), mp::ValueError);
    CHECK_THROWS_AS(pool.apply_async(square, mp::args(1), {.retries = 1}), mp::ValueError);
    CHECK(pool.map(square, numbers) == numbers);
}
