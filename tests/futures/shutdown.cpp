// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/gated_task.hpp"
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

int sleep_and_square(int x) {
    std::this_thread::sleep_for(std::chrono::milliseconds(x % 3));
    return x * x;
}

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

}  // namespace

TEST_CASE("futures: shutdown lets all work end and refuses more") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 50; ++i)
        futures.push_back(executor.submit(sleep_and_square, i));
    executor.shutdown();
    for (int i = 0; i < 50; ++i) {
        CHECK(futures[static_cast<std::size_t>(i)].done());
        CHECK(futures[static_cast<std::size_t>(i)].result() == i * i);
    }
    CHECK_THROWS_AS(executor.submit(square, 1), mp::ProcessError);
    CHECK_THROWS_AS(executor.map(square, std::vector<int>{1}), mp::ProcessError);
    executor.shutdown();
    executor.shutdown(false, true);
    CHECK(executor.worker_pids().empty());
}

TEST_CASE("futures: a shutdown that does not wait lets the work end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 50; ++i)
        futures.push_back(executor.submit(sleep_and_square, i));
    executor.shutdown(false);
    CHECK_THROWS_AS(executor.submit(square, 1), mp::ProcessError);
    for (int i = 0; i < 50; ++i)
        CHECK(futures[static_cast<std::size_t>(i)].result() == i * i);
}

TEST_CASE("futures: an executor that is dropped lets all work end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::vector<mpf::Future<int>> futures;
    {
        mpf::ProcessPoolExecutor executor(2, {.start_method = method});
        for (int i = 0; i < 50; ++i)
            futures.push_back(executor.submit(sleep_and_square, i));
    }
    for (int i = 0; i < 50; ++i)
        CHECK(futures[static_cast<std::size_t>(i)].result(0s) == i * i);
}

TEST_CASE("futures: a shutdown that cancels gives up what has not begun") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    support::gate begun;
    support::gate end;
    mpf::ProcessPoolExecutor executor(
        1, {.start_method = EVERY_START_METHOD,
            .initializer = {support::keep_ends, mp::args(begun.writer(), end.reader())}});
    const auto first = executor.submit(support::say_and_stay, 7);
    REQUIRE(support::hear(begun.ends.reader) == ".");
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 500; ++i)
        futures.push_back(executor.submit(sleep_for_ever));
    const bool waits = GENERATE(true, false);
    // A shutdown that waits is let go by its own work: nothing else is left once that is cancelled.
    std::thread opener([&] {
        support::await([&] { return futures.back().cancelled(); });
        end.open();
    });
    executor.shutdown(waits, true);
    opener.join();
    CHECK(first.result() == 7);
    for (const auto& future : futures)
        CHECK(future.cancelled());
}

TEST_CASE("futures: terminate_workers and kill_workers end everything") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (const bool kill : {true, false}) {
        mpf::ProcessPoolExecutor executor(2, {.start_method = method});
        std::vector<mpf::Future<int>> futures;
        for (int i = 0; i < 10; ++i)
            futures.push_back(executor.submit(sleep_for_ever));
        if (kill)
            executor.kill_workers();
        else
            executor.terminate_workers();
        for (const auto& future : futures)
            CHECK_THROWS_AS(future.result(), mp::ProcessError);
        CHECK_THROWS_AS(executor.submit(square, 1), mp::ProcessError);
        if (kill)
            executor.kill_workers();
    }
}

TEST_CASE("futures: a worker that dies while the executor shuts down") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 20; ++i)
        futures.push_back(executor.submit(
            [](int x) {
                if (x % 5 == 0)
                    support::die_of(support::kill_signal);
                return x;
            },
            i));
    executor.shutdown();
    for (int i = 0; i < 20; ++i) {
        if (i % 5 == 0)
            CHECK_THROWS_AS(futures[static_cast<std::size_t>(i)].result(), mp::WorkerLostError);
        else
            CHECK(futures[static_cast<std::size_t>(i)].result() == i);
    }
}

// A callback cannot join the pool: the workers, the thread and the memory stayed.
TEST_CASE("futures: an executor that goes in a callback of its own lets all work end") {
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const auto handles = support::count_handles();
    {
        auto executor = std::make_unique<mpf::ProcessPoolExecutor>(
            1, mpf::executor_options{.start_method = method});
        std::atomic<bool> gone{false};
        const auto first = executor->submit(sleep_for_ever);
        first.add_done_callback([&](const mpf::Future<int>&) {
            executor.reset();
            gone = true;
        });
        const auto last = executor->submit(sleep_and_square, 5);
        first.terminate();
        support::await([&] { return gone.load(); });
        CHECK_THROWS_AS(first.result(), mp::CancelledError);
        CHECK(last.result() == 25);
        CHECK(support::children().empty());
    }
#if defined(MULTIPROCESSING_POSIX)
    constexpr std::size_t kept = 0;
#else  // What the system's libraries open when they are used first; see support::leftovers.
    constexpr std::size_t kept = 12;
#endif
    support::await([&] { return support::count_handles() <= handles + kept; });
}

// Between two looks at its state it said what a pool says: ValueError.
TEST_CASE("futures: what is submitted while another thread shuts down is taken or refused") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (int round = 0; round < 50; ++round) {
        mpf::ProcessPoolExecutor executor(1, {.start_method = method});
        std::atomic<bool> submitting{false};
        std::thread other([&] {
            while (!submitting)
                std::this_thread::yield();
            executor.shutdown(false);
        });
        const auto submit_until_refused = [&] {
            for (;;) {
                executor.submit(square, 1);
                submitting = true;
            }
        };
        CHECK_THROWS_AS(submit_until_refused(), mp::ProcessError);
        other.join();
    }
}
