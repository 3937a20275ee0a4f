// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <csignal>
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

int sum_of_squares(int count, const std::string& method) {
    mp::Pool pool(2, {.start_method = method});
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i)
        numbers.push_back(i);
    int sum = 0;
    for (const int value : pool.map(square, numbers))
        sum += value;
    return sum;
}

int exit_code_of_a_process(const std::string& method) {
    mp::Process process([] { mp::os::_exit(5); }, {.start_method = method});
    process.start();
    process.join();
    return process.exitcode().value();
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// Starts a process that would stay, and returns its number.
int leave_a_process(const std::string& method) {
    mp::Process process(sleep_for_ever, {.start_method = method});
    process.start();
    return process.pid().value();
}

}  // namespace

TEST_CASE("pool: a task may have a pool of its own") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(2, {.start_method = method});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 4; ++i)
        results.push_back(pool.apply_async(sum_of_squares, mp::args(10, method)));
    for (const auto& result : results)
        CHECK(result.get() == 285);
}

TEST_CASE("pool: a task may start a process") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(1, {.start_method = method});
    CHECK(pool.apply(exit_code_of_a_process, mp::args(method)) == 5);
    CHECK_FALSE(pool.apply([] { return mp::current_process().daemon(); }));
}

TEST_CASE("pool: what a task has started ends with its worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(1, {.start_method = method});
    const int one = pool.apply(leave_a_process, mp::args(method));
    CHECK_FALSE(support::is_gone(one));
    CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    support::await([&] { return support::is_gone(one); });
    const int other = pool.apply(leave_a_process, mp::args(method));
    pool.terminate();
    pool.join();
    support::await([&] { return support::is_gone(other); });
}
