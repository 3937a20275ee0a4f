// SPDX-License-Identifier: MIT
// Waiting for futures that end in every way there is, and for many at once.
#include <multiprocessing/futures.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mpf = multiprocessing::futures;
using namespace std::chrono_literals;

namespace {

using futures_of_int = std::vector<mpf::Future<int>>;

int square(int x) {
    return x * x;
}

int fail() {
    throw std::out_of_range("too far");
}

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

mpf::Future<int> given_up(mpf::ProcessPoolExecutor& executor) {
    const auto future = executor.submit(sleep_for_ever);
    future.terminate();
    future.wait();
    return future;
}

char kind_of(const mpf::Future<int>& future) {
    if (future.cancelled())
        return 'c';
    return future.exception() ? 'e' : 'r';
}

}  // namespace

TEST_CASE(
    "futures: as_completed gives what was cancelled, failed, is done and is new, of any range") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const futures_of_int futures{executor.submit(square, 2), executor.submit(fail),
                                 given_up(executor), executor.submit(square, 3)};
    std::string kinds;
    for (const auto& future : mpf::as_completed(futures | std::views::reverse))
        kinds += kind_of(future);
    std::sort(kinds.begin(), kinds.end());
    CHECK(kinds == "cerr");
}

TEST_CASE("futures: one that was given up ends no wait for the first error") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto gone = given_up(executor);
    const auto good = executor.submit(square, 2);
    good.wait();
    const auto stuck = executor.submit(sleep_for_ever);
    const auto early = mpf::wait(futures_of_int{gone, stuck, good}, 20ms, mpf::FIRST_EXCEPTION);
    CHECK(early.done == futures_of_int{gone, good});
    CHECK(early.not_done == futures_of_int{stuck});
    const auto bad = executor.submit(fail);
    const auto mixed = mpf::wait(futures_of_int{gone, stuck, good, bad}, {}, mpf::FIRST_EXCEPTION);
    CHECK(mixed.done == futures_of_int{gone, good, bad});
    CHECK(mixed.not_done == futures_of_int{stuck});
    stuck.terminate();
}

TEST_CASE("futures: a wait for what has happened returns at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto gone = given_up(executor);
    const auto bad = executor.submit(fail);
    bad.wait();
    const auto stuck = executor.submit(sleep_for_ever);
    const auto failed = mpf::wait(futures_of_int{stuck, bad}, {}, mpf::FIRST_EXCEPTION);
    CHECK(failed.done == futures_of_int{bad});
    const auto first = mpf::wait(futures_of_int{stuck, gone}, {}, mpf::FIRST_COMPLETED);
    CHECK(first.done == futures_of_int{gone});
    CHECK(first.not_done == futures_of_int{stuck});
    CHECK(mpf::wait(futures_of_int{gone, bad, executor.submit(square, 1)}).not_done.empty());
    stuck.terminate();
}

TEST_CASE("futures: a hundred end while several threads wait for them in every way") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    for (int round = 0; round < 10; ++round) {
        futures_of_int futures;
        for (int i = 0; i < 100; ++i)
            futures.push_back(executor.submit(square, i));
        std::atomic<int> right{0};
        std::vector<std::thread> waiters;
        for (const auto when : {mpf::ALL_COMPLETED, mpf::FIRST_EXCEPTION})
            waiters.emplace_back(
                [&, when] { right += mpf::wait(futures, {}, when).done.size() == 100; });
        waiters.emplace_back(
            [&] { right += !mpf::wait(futures, {}, mpf::FIRST_COMPLETED).done.empty(); });
        waiters.emplace_back([&] {
            int sum = 0;
            for (const auto& future : mpf::as_completed(futures))
                sum += future.result();
            right += sum == 328350;
        });
        for (auto& waiter : waiters)
            waiter.join();
        CHECK(right == 4);
    }
}

TEST_CASE("futures: a set that was moved to another object has nothing more to give") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    auto first = mpf::as_completed(std::vector{executor.submit(square, 3)});
    auto second = std::move(first);
    CHECK_FALSE(first.next());
    CHECK(second.next().value().result() == 9);
}
