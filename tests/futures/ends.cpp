// SPDX-License-Identifier: MIT
// The end of an executor, or of a map's time, at bad moments.
#include <multiprocessing/futures.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ranges>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
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

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

std::string same(const std::string& text) {
    return text;
}

void end_workers(mpf::ProcessPoolExecutor& executor, bool kill) {
    if (kill)
        executor.kill_workers();
    else
        executor.terminate_workers();
}

/// Whether it ended, with this result or with an error of the executor's end.
template <class R>
bool has_ended(const mpf::Future<R>& future, const R& expected) {
    try {
        return future.result() == expected;
    } catch (const mp::ProcessError&) {
        return future.done();
    }
}

}  // namespace

TEST_CASE("futures: workers of one task each, and an end that lets the work be done") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const bool shut = GENERATE(true, false);
    std::vector<mpf::Future<int>> futures;
    {
        mpf::ProcessPoolExecutor executor(2, {.start_method = method, .max_tasks_per_child = 1});
        for (int i = 0; i < 20; ++i)
            futures.push_back(executor.submit(square, i));
        if (shut)
            executor.shutdown(false);
    }
    for (int i = 0; i < 20; ++i)
        CHECK(futures[static_cast<std::size_t>(i)].result(0s) == i * i);
}

TEST_CASE("futures: workers are ended while others take the places of those that are used up") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const bool kill = GENERATE(true, false);
    for (std::size_t round = 0; round < 8; ++round) {
        mpf::ProcessPoolExecutor executor(2, {.start_method = method, .max_tasks_per_child = 1});
        std::vector<mpf::Future<int>> futures;
        for (int i = 0; i < 20; ++i)
            futures.push_back(executor.submit(square, i));
        futures[round].wait();
        end_workers(executor, kill);
        for (int i = 0; i < 20; ++i)
            CHECK(has_ended(futures[static_cast<std::size_t>(i)], i * i));
        CHECK_THROWS_AS(executor.submit(square, 1), mp::ProcessError);
    }
}

TEST_CASE("futures: workers that have done nothing, or are dead, can be ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const bool kill = GENERATE(true, false);
    mpf::ProcessPoolExecutor unused(2, {.start_method = method});
    end_workers(unused, kill);
    CHECK_THROWS_AS(unused.submit(square, 1), mp::ProcessError);
    mpf::ProcessPoolExecutor dead(2, {.start_method = method});
    CHECK(dead.submit(square, 2).result() == 4);
    for (const int pid : dead.worker_pids()) {
        mp::os::kill(pid, support::kill_signal);
        support::await([&] { return support::is_gone(pid); });
    }
    end_workers(dead, kill);
    end_workers(dead, !kill);
    CHECK_THROWS_AS(dead.submit(square, 1), mp::ProcessError);
}

TEST_CASE(
    "futures: two workers are at two of ten, and nothing is left of any when they are killed") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 10; ++i)
        futures.push_back(executor.submit(sleep_for_ever));
    const auto running = [&] {
        return std::count_if(futures.begin(), futures.end(),
                             [](const auto& one) { return one.running(); });
    };
    support::await([&] { return running() == 2; });
    CHECK(executor.worker_pids().size() == 2);
    executor.kill_workers();
    for (const auto& future : futures)
        CHECK_THROWS_AS(future.result(), mp::ProcessError);
    CHECK(running() == 0);
}

TEST_CASE("futures: some are cancelled with much data on its way, then the workers are ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const bool kill = GENERATE(true, false);
    const std::string text(1 << 20, 'x');
    mpf::ProcessPoolExecutor executor(2, {.start_method = method});
    std::vector<mpf::Future<std::string>> futures;
    for (int i = 0; i < 40; ++i)
        futures.push_back(executor.submit(same, text));
    for (std::size_t i = 1; i < 40; i += 2)
        futures[i].cancel();
    end_workers(executor, kill);
    for (const auto& future : futures) {
        CHECK(has_ended(future, text));
        CHECK(future.cancel() == future.cancelled());
        CHECK(future.terminate() == future.cancelled());
    }
}

TEST_CASE("futures: a map whose time has passed begins nothing more") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    support::gate of_begun;
    support::gate of_end;
    {
        mpf::ProcessPoolExecutor executor(
            1, {.start_method = method,
                .initializer = {support::keep_ends, std::tuple(of_begun.writer(), of_end.reader())}});
        CHECK(executor.submit(square, 2).result() == 4);
        auto results = executor.map(support::say_and_stay, std::views::iota(0, 5), {.timeout = 50ms});
        CHECK_THROWS_AS(results.next(), mp::TimeoutError);
        of_end.open();  // For one: a second would stay for ever.
        CHECK(executor.submit(square, 3).result() == 9);
    }
    of_begun.ends.writer.reset();
    CHECK(support::read_exactly(of_begun.ends.reader.get(), 5).size() <= 1);
}
