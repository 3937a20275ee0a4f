// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>

#include <algorithm>
#include <chrono>
#include <list>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
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

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

using futures_of_int = std::vector<mpf::Future<int>>;

}  // namespace

TEST_CASE("futures: wait for all, for the first, for the first error") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    futures_of_int futures{executor.submit(square, 1), executor.submit(square, 2)};
    const auto all = mpf::wait(futures);
    CHECK(all.done == futures);
    CHECK(all.not_done.empty());
    const auto stuck = executor.submit(sleep_for_ever);
    futures = {stuck, executor.submit(square, 3)};
    const auto first = mpf::wait(futures, {}, mpf::FIRST_COMPLETED);
    CHECK(first.done == futures_of_int{futures[1]});
    CHECK(first.not_done == futures_of_int{stuck});
    CHECK(mpf::wait(futures, {}, mpf::FIRST_COMPLETED).done.size() == 1);
    futures = {stuck, executor.submit(square, 3), executor.submit(fail),
               executor.submit(square, 4)};
    const auto failed = mpf::wait(futures, {}, mpf::FIRST_EXCEPTION);
    CHECK(std::count(failed.done.begin(), failed.done.end(), futures[2]) == 1);
    CHECK(std::count(failed.not_done.begin(), failed.not_done.end(), stuck) == 1);
    CHECK(mpf::wait(futures_of_int{executor.submit(square, 1)}, {}, mpf::FIRST_EXCEPTION)
              .not_done.empty());
    stuck.terminate();
}

TEST_CASE("futures: a wait whose time passes tells what is done") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto done = executor.submit(square, 1);
    done.wait();
    const auto stuck = executor.submit(sleep_for_ever);
    for (const auto when : {mpf::ALL_COMPLETED, mpf::FIRST_EXCEPTION}) {
        const auto found = mpf::wait(futures_of_int{stuck, done, stuck}, 10ms, when);
        CHECK(found.done == futures_of_int{done});
        CHECK(found.not_done == futures_of_int{stuck});
    }
    CHECK(mpf::wait(futures_of_int{}).done.empty());
    CHECK(mpf::wait(futures_of_int{}, {}, mpf::FIRST_COMPLETED).done.empty());
    stuck.terminate();
}

TEST_CASE("futures: as_completed gives each once, those that are done first") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto done = executor.submit(square, 100);
    done.wait();
    std::list<mpf::Future<int>> futures;
    for (int i = 0; i < 50; ++i)
        futures.push_back(executor.submit(square, i));
    futures.push_back(done);
    futures.push_back(done);
    futures.push_back(executor.submit(fail));
    std::multiset<int> values;
    int errors = 0;
    int count = 0;
    for (const auto& future : mpf::as_completed(futures)) {
        ++count;
        if (future.exception())
            ++errors;
        else
            values.insert(future.result());
    }
    CHECK(count == 52);
    CHECK(errors == 1);
    CHECK(values.count(10000) == 1);
    CHECK(values.size() == 51);
}

TEST_CASE("futures: as_completed whose time passes says how many are unfinished") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const futures_of_int done{executor.submit(square, 1), executor.submit(square, 2)};
    mpf::wait(done);
    const futures_of_int stuck{executor.submit(sleep_for_ever), executor.submit(sleep_for_ever)};
    for (const mp::timeout limit : {mp::timeout(0s), mp::timeout(20ms)}) {
        auto completed =
            mpf::as_completed(futures_of_int{done[0], stuck[0], done[1], stuck[1]}, limit);
        CHECK(completed.next().has_value());
        CHECK(completed.next().has_value());
        CHECK_THROWS_WITH(completed.next(), "2 (of 4) futures unfinished");
    }
    for (const auto& future : stuck)
        future.terminate();
}

TEST_CASE("futures: futures of several executors together") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mpf::ProcessPoolExecutor one(1, {.start_method = method});
    mpf::ProcessPoolExecutor other(1, {.start_method = method});
    futures_of_int futures;
    for (int i = 0; i < 40; ++i)
        futures.push_back((i % 2 == 0 ? one : other).submit(square, i));
    int sum = 0;
    for (const auto& future : mpf::as_completed(futures))
        sum += future.result();
    CHECK(sum == 20540);
    CHECK(mpf::wait(futures, {}, mpf::FIRST_EXCEPTION).done.size() == 40);
}

TEST_CASE("futures: they may be the keys of an unordered map") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    std::unordered_map<mpf::Future<int>, int> numbers;
    for (int i = 0; i < 10; ++i)
        numbers[executor.submit(square, i)] = i;
    REQUIRE(numbers.size() == 10);
    for (const auto& [future, number] : numbers)
        CHECK(future.result() == number * number);
}
