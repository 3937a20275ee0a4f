// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/mappings.hpp"
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

void ignore_sigterm() {
    std::signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
}

int outlive_sigterm(int x) {
    std::signal(SIGTERM, SIG_IGN);
    std::this_thread::sleep_for(400ms);
    return x;
}

int sleep_at_five(int x) {
    if (x == 5)
        sleep_for_ever();
    return x;
}

#if defined(MULTIPROCESSING_POSIX)
int start_one_that_stays() {
    const int pid = mp::os::fork();
    if (pid == 0)
        sleep_for_ever();
    return pid;
}
#else
int start_one_that_stays() {
    mp::Process p(sleep_for_ever);
    p.start();
    return *p.pid();
}
#endif

#if defined(MULTIPROCESSING_POSIX)
/// Writes another time over that of its beginning, and stays.
void change_beginning(long long began) {
    for (const auto block : support::mapped_blocks())
        if (block.size() == mp::detail::worker_channel::control_bytes)
            reinterpret_cast<mp::detail::worker_control*>(block.data())->began = began;
    sleep_for_ever();
}
#endif

/// Starts a process that would stay, tells its number and stays itself.
void leave_another(const std::string& path) {
    std::ofstream(path) << start_one_that_stays() << std::endl;
    sleep_for_ever();
}

int number_in(const std::string& path) {
    int number = 0;
    std::ifstream(path) >> number;
    return number;
}

}  // namespace

// The limit of what waits was taken for one of what runs.
TEST_CASE("pool: the time of a task that waits does not end the one before it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto first = pool.apply_async(
        [](int x) {
            std::this_thread::sleep_for(200ms);
            return x;
        },
        mp::args(1));
    const auto second = pool.apply_async(square, mp::args(3), {.timeout = 1ns});
    CHECK(first.get() == 1);
    try {
        CHECK(second.get() == 9);
    } catch (const mp::TimeoutError&) {  // It was not so fast.
    }
}

TEST_CASE("pool: a task that takes too long is ended, the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS_AS(pool.apply(sleep_for_ever, mp::args(), {.timeout = 30ms}),
                        mp::TimeoutError);
        CHECK(pool.apply(square, mp::args(i), {.timeout = 24h}) == i * i);
    }
    CHECK_THROWS_AS(pool.apply(ignore_sigterm, mp::args(), {.timeout = 30ms}), mp::TimeoutError);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

TEST_CASE("pool: a task's time ends it also where nobody waits") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_for_ever, mp::args(), {.timeout = 30ms});
    support::await([&] { return result.ready(); });
    CHECK_THROWS_AS(result.get(), mp::TimeoutError);
    // While another thread sleeps in a wait that began before there was any limit.
    mp::Pool other(2, {.start_method = mp::get_all_start_methods().front()});
    const auto stuck = other.apply_async(sleep_for_ever);
    std::thread waiter([&] { stuck.wait(24h); });
    const auto limited = other.apply_async(sleep_for_ever, mp::args(), {.timeout = 30ms});
    support::await([&] { return limited.ready(); });
    other.terminate();
    waiter.join();
}

TEST_CASE("pool: an error callback is told of a time that is over") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::exception_ptr told;
    bool called = false;
    const auto late = pool.apply_async(
        sleep_for_ever, mp::args(),
        {.timeout = 30ms,
         .callback = [&] { called = true; },
         .error_callback = [&](std::exception_ptr error) { told = error; }});
    CHECK_THROWS_AS(late.get(), mp::TimeoutError);
    REQUIRE(told);
    CHECK_THROWS_AS(std::rethrow_exception(told), mp::TimeoutError);
    CHECK_FALSE(called);
}

TEST_CASE("pool: a task's time counts from its beginning, and ends no other task") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 20; ++i)
        results.push_back(pool.apply_async(
            [](int x) {
                std::this_thread::sleep_for(20ms);
                return x;
            },
            mp::args(i), {.timeout = 300ms}));
    for (int i = 0; i < 20; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i);
    std::vector<mp::AsyncResult<int>> others;
    for (int i = 0; i < 10; ++i)
        others.push_back(pool.apply_async(sleep_at_five, mp::args(i), {.timeout = 50ms}));
    for (int i = 0; i < 10; ++i) {
        if (i == 5)
            CHECK_THROWS_AS(others[5].get(), mp::TimeoutError);
        else
            CHECK(others[static_cast<std::size_t>(i)].get() == i);
    }
}

TEST_CASE("pool: chunks of maps and elements of streams have their time, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7};
    CHECK_THROWS_AS(pool.map(sleep_at_five, numbers, {.chunksize = 1, .timeout = 30ms}),
                    mp::TimeoutError);
    CHECK_THROWS_AS(pool.map_async(sleep_at_five, numbers, {.chunksize = 2, .timeout = 30ms}).get(),
                    mp::TimeoutError);
    auto results = pool.imap(sleep_at_five, numbers, {.timeout = 30ms});
    for (int i = 1; i < 8; ++i) {
        if (i == 5)
            CHECK_THROWS_AS(results.next(), mp::TimeoutError);
        else
            CHECK(results.next() == i);
    }
    CHECK_FALSE(results.next());
}

TEST_CASE("pool: what a task that is ended has started ends with it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("multiprocessing-" + std::to_string(mp::os::getpid())))
                                 .string();
    CHECK_THROWS_AS(pool.apply(leave_another, mp::args(path), {.timeout = 300ms}),
                    mp::TimeoutError);
    const int pid = number_in(path);
    REQUIRE(pid > 0);
    support::await([&] { return support::is_gone(pid); });
    std::remove(path.c_str());
}

TEST_CASE("pool: a timeout that is none, and retries below zero, are ValueErrors") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply(square, mp::args(1), {.timeout = 0s}), mp::ValueError);
    CHECK_THROWS_AS(pool.apply_async(square, mp::args(1), {.timeout = -1s}), mp::ValueError);
    CHECK_THROWS_AS(pool.map(square, std::vector<int>{1}, {.retries = -1}), mp::ValueError);
}

TEST_CASE("pool: a task that answers after its time, while it is being ended, has not kept it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply(outlive_sigterm, mp::args(7), {.timeout = 50ms}), mp::TimeoutError);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

TEST_CASE("pool: the longest of all times is no time at all") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto other = pool.apply_async(square, mp::args(2), {.timeout = 1h});
    CHECK(pool.apply(outlive_sigterm, mp::args(7), {.timeout = std::chrono::hours::max()}) == 7);
    CHECK(other.get() == 4);
}

#if defined(MULTIPROCESSING_POSIX)
// The sum of that time and the limit overflowed, or lay in the future for ever.
TEST_CASE("pool: a task that writes over its beginning is ended for its time all the same") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    using numbers = std::numeric_limits<long long>;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    for (const long long began : {(numbers::max)(), (numbers::min)(), -1LL, 0LL})
        CHECK_THROWS_AS(
            pool.apply(change_beginning, mp::args(began), {.timeout = 100ms}), mp::TimeoutError);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}
#endif
