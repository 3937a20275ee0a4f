// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
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
namespace mpf = multiprocessing::futures;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int fail() {
    throw std::out_of_range("too far");
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// Ignores what asks it to end.
void stay() {
    std::signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
}

}  // namespace

TEST_CASE("futures: the states of a future that ends well, badly, and not yet") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto good = executor.submit(square, 3);
    CHECK(good.wait());
    CHECK(good.done());
    CHECK_FALSE(good.running());
    CHECK_FALSE(good.cancelled());
    CHECK_FALSE(good.cancel());
    CHECK_FALSE(good.terminate());
    CHECK(good.result() == 9);
    CHECK(good.result(0s) == 9);
    CHECK_FALSE(good.exception());
    const auto bad = executor.submit(fail);
    CHECK_THROWS_AS(bad.result(), std::out_of_range);
    CHECK_THROWS_AS(std::rethrow_exception(bad.exception()), std::out_of_range);
    CHECK_FALSE(bad.cancelled());
    const auto never = executor.submit(sleep_for_ever);
    CHECK_FALSE(never.wait(0s));
    CHECK_THROWS_AS(never.result(1ms), mp::TimeoutError);
    CHECK_THROWS_AS(never.exception(0s), mp::TimeoutError);
    support::await([&] { return never.running(); });
    CHECK_FALSE(never.cancel());
    CHECK(never.terminate());
    CHECK_THROWS_AS(never.result(), mp::CancelledError);
}

TEST_CASE("futures: what has not begun can be cancelled, whether it waits here or at its worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto first = executor.submit(sleep_for_ever);
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 400; ++i)
        futures.push_back(executor.submit(square, i));
    support::await([&] { return first.running(); });
    for (std::size_t i = 0; i < 400; i += 2) {
        CHECK(futures[i].cancel());
        CHECK(futures[i].cancelled());
        CHECK(futures[i].cancel());
        CHECK_THROWS_AS(futures[i].exception(), mp::CancelledError);
    }
    CHECK(first.terminate());
    for (std::size_t i = 1; i < 400; i += 2)
        CHECK(futures[i].result() == static_cast<int>(i * i));
}

TEST_CASE("futures: what runs is ended by terminate, whatever it does, and nothing else is lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto stubborn = executor.submit(stay);
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 300; ++i)
        futures.push_back(executor.submit(square, i));
    support::await([&] { return stubborn.running(); });
    std::this_thread::sleep_for(20ms);  // Most likely it ignores the signal by now.
    CHECK(stubborn.terminate());
    for (int i = 0; i < 300; ++i)
        CHECK(futures[static_cast<std::size_t>(i)].result() == i * i);
    CHECK_THROWS_AS(stubborn.result(), mp::CancelledError);
    CHECK(stubborn.cancelled());
}

TEST_CASE("futures: callbacks are called once, in their order, with the future, or at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::atomic<int> count{0};
    std::string order;
    {
        const auto future = executor.submit(
            [](int x) {
                std::this_thread::sleep_for(10ms);
                return x;
            },
            6);
        future.add_done_callback([&](const mpf::Future<int>& one) {
            order += one.result() == 6 ? "a" : "x";
            ++count;
        });
        future.add_done_callback([&](const mpf::Future<int>&) {
            ++count;
            throw std::runtime_error("harms nothing");
        });
        future.add_done_callback([&](const mpf::Future<int>& one) {
            order += one == future ? "b" : "x";
            ++count;
        });
        support::await([&] { return count == 3; });
        CHECK(order == "ab");
        future.add_done_callback([&](const mpf::Future<int>&) { order += "c"; });
        CHECK(order == "abc");
        future.add_done_callback([](const mpf::Future<int>&) { throw 1; });
        CHECK_THROWS_AS(future.add_done_callback(nullptr), mp::ValueError);
    }
    const auto failed = executor.submit(fail);
    failed.add_done_callback(
        [&](const mpf::Future<int>& one) { count += one.exception() ? 10 : 0; });
    support::await([&] { return count == 13; });
    const auto stuck = executor.submit(sleep_for_ever);
    stuck.add_done_callback(
        [&](const mpf::Future<void>& one) { count += one.cancelled() ? 10 : 0; });
    stuck.terminate();
    support::await([&] { return count == 23; });
}

TEST_CASE("futures: a callback may submit") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    std::atomic<int> last{0};
    executor.submit(square, 3).add_done_callback([&](const mpf::Future<int>& one) {
        executor.submit(square, one.result()).add_done_callback([&](const mpf::Future<int>& other) {
            last = other.result();
        });
    });
    support::await([&] { return last == 81; });
}

TEST_CASE("futures: a lost worker fails its own future, the executor goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 60; ++i)
        futures.push_back(executor.submit(
            [](int x) {
                if (x % 20 == 7)
                    support::die_of(support::kill_signal);
                return x;
            },
            i));
    for (int i = 0; i < 60; ++i) {
        if (i % 20 == 7)
            CHECK_THROWS_AS(futures[static_cast<std::size_t>(i)].result(), mp::WorkerLostError);
        else
            CHECK(futures[static_cast<std::size_t>(i)].result() == i);
    }
}

TEST_CASE("futures: submit with a time and with retries") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(executor.submit({.timeout = 50ms}, sleep_for_ever).result(), mp::TimeoutError);
    CHECK(executor.submit({.timeout = 24h, .retries = 1}, square, 4).result() == 16);
    CHECK_THROWS_AS(executor.submit({.timeout = 0s}, square, 4), mp::ValueError);
    CHECK_THROWS_AS(executor.submit({.retries = -1}, square, 4), mp::ValueError);
}
