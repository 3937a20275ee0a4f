// SPDX-License-Identifier: MIT
// How many threads there are, what becomes of them, and what they let go of.
#include <multiprocessing/thread_pool.hpp>

#include <atomic>
#include <mutex>
#include <ranges>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using support::await_none_alive;
using support::counted;
using support::pass;
using support::ten;

namespace {

int square(int x) {
    return x * x;
}

std::thread::id own_id(int) {
    return std::this_thread::get_id();
}

std::vector<int> squares(int count) {
    std::vector<int> values;
    for (int i = 0; i < count; ++i)
        values.push_back(i * i);
    return values;
}

}  // namespace

TEST_CASE("thread pool: without a number it has a thread for each processor of this process") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const mp::ThreadPool pool;
    CHECK(pool.processes() == mp::os::process_cpu_count());
    CHECK_THROWS_AS(mp::ThreadPool(-1), mp::ValueError);
}

TEST_CASE("thread pool: many tasks need no more than its threads, none of them the caller's") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(3);
    const auto found = pool.map(own_id, std::views::iota(0, 500), {.chunksize = 1});
    const std::set<std::thread::id> ids(found.begin(), found.end());
    CHECK(ids.size() <= 3);
    CHECK(ids.count(std::this_thread::get_id()) == 0);
}

TEST_CASE("thread pool: two hundred threads share a thousand tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(200);
    CHECK(pool.map(square, std::views::iota(0, 1000), {.chunksize = 1}) == squares(1000));
}

TEST_CASE("thread pool: a join, and the scope's end, wait for the end of every thread") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    static std::atomic<int> ended;
    struct told_at_end {
        bool used = false;
        ~told_at_end() { ++ended; }
    };
    const auto set_up = [] {
        static thread_local told_at_end own;
        own.used = true;
    };
    ended = 0;
    {
        mp::ThreadPool joined(3, {.initializer = set_up});
        joined.close();
        joined.join();
        CHECK(ended == 3);
        mp::ThreadPool dropped(4, {.initializer = set_up});
    }
    CHECK(ended == 7);
}

TEST_CASE("thread pool: maps and streams of nothing are nothing, at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    const std::vector<int> none;
    CHECK(pool.map(square, none, {.chunksize = 20}).empty());
    CHECK(pool.map_async(square, none).get().empty());
    CHECK_FALSE(pool.imap(square, none).next());
    CHECK_FALSE(pool.imap_unordered(square, none, {.chunksize = 20}).next());
    CHECK(pool.starmap([](int a, int b) { return a + b; }, std::vector<std::pair<int, int>>{})
              .empty());
}

TEST_CASE("thread pool: the work goes on after close, also where nobody joins") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    const auto mapped = pool.map_async(square, std::views::iota(0, 1000), {.chunksize = 1});
    pool.close();
    CHECK(mapped.get() == squares(1000));
}

TEST_CASE("thread pool: terminate with ten thousand tasks waiting fails them, and does not wait") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::mutex gate;
    std::unique_lock closed(gate);
    mp::ThreadPool pool(2);
    const auto mapped = pool.map_async(
        [&](int x) {
            const std::lock_guard lock(gate);
            return x;
        },
        std::views::iota(0, 10000), {.chunksize = 1});
    pool.terminate();  // Returns although the gate is closed.
    closed.unlock();
    CHECK_THROWS_AS(mapped.get(), mp::ProcessError);
    pool.join();
}

TEST_CASE("thread pool: what is done is let go of") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    CHECK(pool.map(pass, ten()).size() == 10);
    await_none_alive();
    CHECK(pool.map_async(pass, ten(), {.chunksize = 1}).get().size() == 10);
    await_none_alive();
    pool.apply_async(pass, mp::args(counted(3)));
    await_none_alive();
    auto results = pool.imap(pass, ten());
    for (int i = 0; i < 10; ++i)
        CHECK(results.next().value().number == i);
    CHECK_FALSE(results.next());
    await_none_alive();
}
