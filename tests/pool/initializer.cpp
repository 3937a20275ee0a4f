// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <csignal>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <multiprocessing/queues.hpp>
#include <multiprocessing/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/mappings.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

std::string greeting = "none";

void greet(const std::string& word, int times) {
    greeting.clear();
    for (int i = 0; i < times; ++i)
        greeting += word;
}

void greet_once() {
    greeting = "once";
}

std::string what_greeting() {
    return greeting;
}

int square(int x) {
    return x * x;
}

/// Tells of each worker that begins.
void report(mp::Queue<int>& pids) {
    pids.put(mp::os::getpid());
}

void report_and_refuse(mp::Queue<int>& pids) {
    pids.put(mp::os::getpid());
    throw std::runtime_error("not today");
}

void refuse() {
    throw std::runtime_error("not today");
}

void die_at_once() {
    support::die_of(support::kill_signal);
}

#if defined(MULTIPROCESSING_POSIX)
/// Both go on, in the worker and in its copy.
void fork_and_go_on() {
    mp::os::fork();
}
#endif

}  // namespace

TEST_CASE("pool: the initializer runs in each worker before its tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(2, {.initializer = {greet, mp::args("hi", 2)}, .start_method = method});
    CHECK(pool.apply(what_greeting) == "hihi");
    CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    for (int i = 0; i < 20; ++i)
        CHECK(pool.apply(what_greeting) == "hihi");
    mp::Pool other(1, {.initializer = greet_once, .start_method = method});
    CHECK(other.apply(what_greeting) == "once");
    mp::Pool third(1, {.initializer = [] { greeting = "lambda"; }, .start_method = method});
    CHECK(third.apply(what_greeting) == "lambda");
}

TEST_CASE("pool: an initializer may be given queues") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> pids;
    mp::Pool pool(3, {.initializer = {report, mp::args(pids)}, .start_method = EVERY_START_METHOD});
    std::set<int> seen;
    for (int i = 0; i < 3; ++i)
        seen.insert(pids.get());
    const auto workers = pool.worker_pids();
    CHECK(seen == std::set<int>(workers.begin(), workers.end()));
}

// CPython starts workers for ever.
TEST_CASE("pool: what an initializer throws is reported, and workers are not started for ever") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> pids;
    mp::Pool pool(2, {.initializer = {report_and_refuse, mp::args(pids)},
                      .start_method = EVERY_START_METHOD});
    for (int i = 0; i < 3; ++i) {
        try {
            pool.apply(square, mp::args(2));
            FAIL("the initializer has failed");
        } catch (const mp::InitializerError& error) {
            CHECK(std::string(error.what()).find("not today") != std::string::npos);
            CHECK_THROWS_AS(std::rethrow_exception(error.cause()), std::runtime_error);
        }
    }
    CHECK_THROWS_AS(pool.map(square, std::vector<int>(100, 1), {.chunksize = 1}),
                    mp::InitializerError);
    CHECK_THROWS_AS(pool.apply_async(square, mp::args(1)).get(), mp::InitializerError);
    pool.close();
    pool.join();
    std::set<int> seen;
    while (!pids.empty())
        seen.insert(pids.get());
    CHECK(seen.size() <= 12);  // Two at first, and at most two for each of the five calls.
}

TEST_CASE("pool: an initializer that ends its worker is reported") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(1, {.initializer = {mp::os::_exit, mp::args(7)}, .start_method = method});
    try {
        pool.apply(square, mp::args(2));
        FAIL("the initializer has failed");
    } catch (const mp::ProcessError& error) {
        CHECK(std::string(error.what()).find("status 7") != std::string::npos);
    }
}

TEST_CASE("pool: an initializer that fails in one worker costs that worker only") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> tickets;
    tickets.put(1);
    for (int i = 0; i < 20; ++i)
        tickets.put(0);
    const auto draw = [](mp::Queue<int>& from) {
        if (from.get() == 1)
            throw std::runtime_error("bad luck");
    };
    mp::Pool pool(2,
                  {.initializer = {draw, mp::args(tickets)}, .start_method = EVERY_START_METHOD});
    for (int i = 0; i < 50; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    support::await([&] {
        pool.apply(square, mp::args(1));
        return pool.worker_pids().size() == 2;
    });
}

TEST_CASE("pool: an initializer that cannot cross is refused by spawn") {
    const support::leftovers leftovers;
    int count = 0;
    const auto local = [&count] { ++count; };
    CHECK_THROWS_AS(mp::Pool(1, {.initializer = local, .start_method = "spawn"}),
                    mp::PicklingError);
}

TEST_CASE("pool: an initializer that is killed every time is given up") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.initializer = die_at_once, .start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply(square, mp::args(3)), mp::ProcessError);
}

TEST_CASE("pool: initializers that fail leave no process, handle or memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const std::size_t before = support::mapped_blocks().size();
    for (int round = 0; round < 3; ++round) {
        mp::Pool throwing(2, {.initializer = refuse, .start_method = method});
        CHECK_THROWS_AS(throwing.apply(square, mp::args(2)), mp::InitializerError);
        mp::Pool dying(2, {.initializer = die_at_once, .start_method = method});
        CHECK_THROWS_AS(dying.apply(square, mp::args(2)), mp::ProcessError);
    }
    CHECK(support::mapped_blocks().size() == before);
}

// By fork each worker called it; a thread pool would have ended the program.
TEST_CASE("pool: an initializer that is a null pointer is a ValueError") {
    const support::leftovers leftovers;
    void (*const nothing)() = nullptr;
    const std::string method = EVERY_START_METHOD;
    CHECK_THROWS_AS(mp::Pool(1, {.initializer = nothing, .start_method = method}), mp::ValueError);
    CHECK_THROWS_AS(mp::ThreadPool(1, {.initializer = nothing}), mp::ValueError);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows copies no process.
TEST_CASE("pool: the copy that an initializer makes of a worker takes no tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.initializer = fork_and_go_on, .start_method = EVERY_START_METHOD});
    for (int i = 0; i < 100; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
}
#endif
