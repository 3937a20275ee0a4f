// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>

#include <chrono>
#include <memory>
#include <ranges>
#include <set>
#include <stdexcept>
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

int add(int a, int b) {
    return a + b;
}

std::string greet(const std::string& name) {
    return "hello " + name;
}

int own_pid() {
    return mp::os::getpid();
}

int divide(int a, int b) {
    if (b == 0)
        throw std::domain_error("by zero");
    return a / b;
}

/// Longer than the first elements of a range may take that is not known to be quick.
struct slow_to_copy {
    int zero = 0;

    slow_to_copy() = default;
    slow_to_copy(const slow_to_copy& other) : zero(other.zero) {
        std::this_thread::sleep_for(1ms);
    }
    slow_to_copy& operator=(const slow_to_copy&) = default;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(zero);
    }
};

int zero_of(const slow_to_copy& x) {
    return x.zero;
}

int zero_of_both(const slow_to_copy& x, int) {
    return x.zero;
}

int value = 0;

void set_value(int to) {
    value = to;
}

int get_value() {
    return value;
}

template <class R>
std::vector<R> all_of(mp::IMapIterator<R> results) {
    std::vector<R> values;
    for (R& one : results)
        values.push_back(std::move(one));
    return values;
}

}  // namespace

TEST_CASE("futures: submit takes the arguments as they are") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    CHECK(executor.submit(square, 5).result() == 25);
    CHECK(executor.submit(add, 2, 3).result() == 5);
    CHECK(executor.submit(greet, "world").result() == "hello world");
    executor.submit(set_value, 3).result();
    const auto future =
        executor.submit([](std::unique_ptr<int> x) { return x; }, std::make_unique<int>(4));
    CHECK(*future.result() == 4);
    CHECK_THROWS_AS(future.result(), mp::ValueError);
    CHECK_THROWS_AS(executor.submit(divide, 1, 0).result(), std::domain_error);
}

TEST_CASE("futures: many tasks need no more than the workers, one after the other the same one") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(3, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 300; ++i)
        futures.push_back(executor.submit(own_pid));
    std::set<int> pids;
    for (const auto& future : futures)
        pids.insert(future.result());
    CHECK(pids.size() <= 3);
    const int first = executor.submit(own_pid).result();
    for (int i = 0; i < 20; ++i)
        CHECK(executor.submit(own_pid).result() == first);
}

TEST_CASE("futures: map over one range and over two, with chunks and a buffer") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<int> squares;
    for (int i = 0; i < 50; ++i)
        squares.push_back(i * i);
    CHECK(all_of(executor.map(square, std::views::iota(0, 50))) == squares);
    for (const int chunk : {1, 6, 40, 50})
        CHECK(all_of(executor.map(square, std::views::iota(0, 50), {.chunksize = chunk})) ==
              squares);
    CHECK(all_of(executor.map(square, std::views::iota(0, 50), {.buffersize = 3})) == squares);
    const std::vector<int> tens{10, 20, 30};
    CHECK(all_of(executor.map(add, tens, std::views::iota(1))) == std::vector<int>{11, 22, 33});
    CHECK(all_of(executor.map(add, std::vector<int>{1, 2, 3}, std::vector<int>{4, 5},
                              {.chunksize = 2})) == std::vector<int>{5, 7});
    CHECK_THROWS_AS(executor.map(square, tens, {.chunksize = -1}), mp::ValueError);
    CHECK_THROWS_AS(executor.map(square, tens, {.buffersize = 0}), mp::ValueError);
}

TEST_CASE("futures: an error in a map is thrown in its place") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    auto results = executor.map(divide, std::vector<int>{1, 1, 1, 1}, std::vector<int>{1, 1, 0, 1});
    CHECK(results.next() == 1);
    CHECK(results.next() == 1);
    CHECK_THROWS_AS(results.next(), std::domain_error);
    CHECK(results.next() == 1);
}

TEST_CASE("futures: a map that takes too long ends with TimeoutError") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    support::gate begun;
    support::gate end;
    mpf::ProcessPoolExecutor executor(
        1, {.start_method = EVERY_START_METHOD,
            .initializer = {support::keep_ends, mp::args(begun.writer(), end.reader())}});
    {
        auto results = executor.map(
            [](int x) { return x == 1 ? support::say_and_stay(x) : x; },
            std::vector<int>{0, 1, 2}, {.timeout = 2s});
        CHECK(results.next() == 0);
        CHECK_THROWS_AS(results.next(), mp::TimeoutError);
        CHECK_THROWS_AS(results.next(), mp::TimeoutError);
    }
    end.open();
    CHECK(executor.submit(square, 2).result() == 4);
}

// While the range gave elements, there was always a result that was just ready, so that nobody
// looked at the time; which was counted from the end of the call.
TEST_CASE("futures: a map whose range takes too long ends with TimeoutError") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    const auto slowly = [&taken](int x) {
        std::this_thread::sleep_for(1ms);
        taken = x + 1;
        return x;
    };
    {
        auto results = executor.map(
            square, std::views::iota(0, 2000) | std::views::transform(slowly), {.timeout = 20ms});
        CHECK_THROWS_AS(all_of(std::move(results)), mp::TimeoutError);
        CHECK(taken < 1000);
    }
    const auto slow_at_first = [](int x) {
        std::this_thread::sleep_for(x == 0 ? 100ms : 0ms);
        return x;
    };
    auto results = executor.map(
        square, std::views::iota(0, 2) | std::views::transform(slow_at_first), {.timeout = 50ms});
    CHECK_THROWS_AS(all_of(std::move(results)), mp::TimeoutError);
}

TEST_CASE("futures: results of a map that are there can be read when its time has passed") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    constexpr auto limit = 1s;
    auto results = executor.map(square, std::vector<int>{1, 2, 3}, {.timeout = limit});
    executor.submit(square, 4).result();  // The only worker has done all that came before.
    std::this_thread::sleep_for(limit);
    CHECK(all_of(std::move(results)) == std::vector<int>{1, 4, 9});
}

TEST_CASE("futures: a map takes at once what lies in memory, however long it takes to copy it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    constexpr auto limit = 1s;
    const std::vector<slow_to_copy> xs(3);
    auto results = GENERATE(false, true)
                       ? executor.map(zero_of, xs, {.timeout = limit})
                       : executor.map(zero_of_both, xs, std::vector<int>(4), {.timeout = limit});
    executor.submit(square, 4).result();
    std::this_thread::sleep_for(limit);
    CHECK(all_of(std::move(results)) == std::vector<int>(3));
}

TEST_CASE("futures: a map with a timeout takes what it may at once, and that is done after the end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    auto results = executor.map(square, std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7},
                                {.timeout = 1h, .buffersize = 4});
    executor.shutdown();
    for (int i = 0; i < 4; ++i)
        CHECK(results.next() == i * i);
    CHECK_THROWS_AS(results.next(), mp::ProcessError);
}

TEST_CASE("futures: the initializer, tasks a worker, and bad options") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mpf::ProcessPoolExecutor executor(2, {.start_method = method,
                                          .initializer = {set_value, mp::args(7)},
                                          .max_tasks_per_child = 2});
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 10; ++i)
        futures.push_back(executor.submit(get_value));
    for (const auto& future : futures)
        CHECK(future.result() == 7);
    CHECK_THROWS_AS(mpf::ProcessPoolExecutor(0), mp::ValueError);
    CHECK_THROWS_AS(mpf::ProcessPoolExecutor(-1), mp::ValueError);
    CHECK_THROWS_AS(mpf::ProcessPoolExecutor(1, {.max_tasks_per_child = 0}), mp::ValueError);
    mpf::ProcessPoolExecutor broken(
        1, {.start_method = method, .initializer = [] { throw std::runtime_error("broken"); }});
    CHECK_THROWS_AS(broken.submit(square, 1).result(), mp::InitializerError);
    CHECK_THROWS_AS(broken.submit(square, 1).result(), mp::InitializerError);
}
