// SPDX-License-Identifier: MIT
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <string>

#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

template <class Call>
std::chrono::nanoseconds time_of(Call call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::steady_clock::now() - start;
}

TEST_CASE("queue: a bounded queue takes as many as it was made for, then every put throws Full") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue(6);
    CHECK(queue.empty());
    CHECK_FALSE(queue.full());
    queue.put(1);
    queue.put(2, true);
    queue.put(3, true, std::nullopt);
    queue.put(4, false);
    queue.put(5, false, std::nullopt);
    queue.put_nowait(6);
    CHECK_FALSE(queue.empty());
    CHECK(queue.full());

    CHECK_THROWS_AS(queue.put_nowait(7), mp::Full);
    CHECK_THROWS_AS(queue.put(7, false), mp::Full);
    CHECK_THROWS_AS(queue.put(7, false, 1h), mp::Full);
    CHECK_THROWS_AS(queue.put(7, true, 0s), mp::Full);
    CHECK_THROWS_AS(queue.put(7, true, -1s), mp::Full);
    CHECK(time_of([&] { CHECK_THROWS_AS(queue.put(7, true, 60ms), mp::Full); }) >= 60ms);
    CHECK(time_of([&] { CHECK_THROWS_AS(queue.put(7, true, 1us), mp::Full); }) >= 1us);
    CHECK(queue.qsize() == 6);

    for (int i = 1; i <= 6; ++i)
        CHECK(queue.get() == i);
    CHECK(queue.empty());
    CHECK_FALSE(queue.full());
}

TEST_CASE("queue: every form of get takes the oldest, then throws Empty") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    for (int i = 1; i <= 7; ++i)
        queue.put(i);
    CHECK(queue.get(true, std::nullopt) == 1);
    CHECK(queue.get(true) == 2);
    CHECK(queue.get(true, 1s) == 3);
    CHECK(queue.get() == 4);
    CHECK(queue.get_nowait() == 5);
    CHECK(queue.get(false) == 6);
    CHECK(queue.get(true, -1s) == 7);
    CHECK(queue.empty());

    CHECK_THROWS_AS(queue.get_nowait(), mp::Empty);
    CHECK_THROWS_AS(queue.get(false), mp::Empty);
    CHECK_THROWS_AS(queue.get(false, 1h), mp::Empty);
    CHECK_THROWS_AS(queue.get(true, 0s), mp::Empty);
    CHECK_THROWS_AS(queue.get(true, -1s), mp::Empty);
    CHECK(time_of([&] { CHECK_THROWS_AS(queue.get(true, 200ms), mp::Empty); }) >= 200ms);
    CHECK(time_of([&] { CHECK_THROWS_AS(queue.get(true, 1us), mp::Empty); }) >= 1us);
}

TEST_CASE("queue: qsize counts what was put and not taken") {
    mp::Queue<int> queue;
    CHECK(queue.qsize() == 0);
    queue.put(1);
    CHECK(queue.qsize() == 1);
    queue.put(5);
    CHECK(queue.qsize() == 2);
    CHECK_FALSE(queue.full());
    queue.get();
    CHECK(queue.qsize() == 1);
    queue.get();
    CHECK(queue.qsize() == 0);
}

TEST_CASE("queue: maxsize is a count up to 2^30, and none and less mean no bound") {
    CHECK_THROWS_AS(mp::Queue<int>((1LL << 30) + 1), mp::ValueError);
    CHECK_THROWS_AS(mp::Queue<int>(std::numeric_limits<long long>::max()), mp::ValueError);
    CHECK_NOTHROW(mp::Queue<int>(1LL << 30).put(1));
    for (const long long none : {0LL, -1LL, std::numeric_limits<long long>::min()}) {
        mp::Queue<int> queue(none);
        for (int i = 0; i < 10'000; ++i)
            queue.put_nowait(i);
        CHECK_FALSE(queue.full());
        CHECK(queue.get() == 0);
    }
}

TEST_CASE("queue: after close this process puts and gets no more, others do") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    mp::Queue<int> same = queue;
    queue.put(1);
    CHECK_THROWS_AS(queue.join_thread(), mp::ValueError);
    queue.cancel_join_thread();
    mp::Process other([](mp::Queue<int> theirs) { theirs.put(theirs.get(true, 30s) + 1); },
                      mp::args(queue), {.start_method = "spawn"});
    other.start();
    CHECK(other.join());
    CHECK(other.exitcode() == 0);
    queue.close();
    queue.close();
    CHECK_THROWS_AS(queue.put(1), mp::ValueError);
    CHECK_THROWS_AS(queue.put_nowait(1), mp::ValueError);
    CHECK_THROWS_AS(queue.get(), mp::ValueError);
    CHECK_THROWS_AS(same.get_nowait(), mp::ValueError);
    CHECK(queue.qsize() == 1);
    queue.join_thread();
    queue.cancel_join_thread();
}

}  // namespace
