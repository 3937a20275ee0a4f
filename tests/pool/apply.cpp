// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int add(int a, int b) {
    return a + b;
}

void nothing() {}

int own_pid() {
    return mp::os::getpid();
}

std::string repeat(const std::string& text, std::size_t times) {
    std::string whole;
    for (std::size_t i = 0; i < times; ++i)
        whole += text;
    return whole;
}

struct point {
    double x = 0;
    double y = 0;
    std::vector<std::string> names;
    bool operator==(const point&) const = default;
};

point mirror(point p) {
    p.x = -p.x;
    p.names.push_back("mirrored");
    return p;
}

std::unique_ptr<int> boxed(int value) {
    return std::make_unique<int>(value);
}

struct counter {
    int count = 0;
    int operator()(int step) { return count += step; }
};

int grow(int& value) {
    return ++value;
}

const std::string& same(const std::string& text) {
    return text;
}

}  // namespace

TEST_CASE("pool: apply returns what the function returns in a worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(add, mp::args(2, 3)) == 5);
    CHECK(pool.apply(own_pid) != mp::os::getpid());
    pool.apply(nothing);
    CHECK(pool.apply(repeat, mp::args("ab", std::size_t{3})) == "ababab");
}

TEST_CASE("pool: structures cross both ways") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(mirror, mp::args(point{1, 2, {"a"}})) == point{-1, 2, {"a", "mirrored"}});
}

TEST_CASE("pool: lambdas and function objects run as their copies") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply([](int x) { return 2 * x; }, mp::args(21)) == 42);
    const counter from_ten{10};
    CHECK(pool.apply(from_ten, mp::args(1)) == 11);
    CHECK(pool.apply(from_ten, mp::args(1)) == 11);
}

TEST_CASE("pool: arguments are lent to parameters that are references") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(grow, mp::args(1)) == 2);
    CHECK(pool.apply(same, mp::args("text")) == "text");
}

TEST_CASE("pool: a result that can only be moved arrives") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(*pool.apply(boxed, mp::args(7)) == 7);
    const auto boxes = pool.map(boxed, std::vector<int>{1, 2});
    REQUIRE(boxes.size() == 2);
    CHECK(*boxes[1] == 2);
}

TEST_CASE("pool: the workers are the processes that it names") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    CHECK(pool.processes() == 3);
    const auto pids = pool.worker_pids();
    CHECK(pids.size() == 3);
    for (int i = 0; i < 20; ++i)
        CHECK(std::count(pids.begin(), pids.end(), pool.apply(own_pid)) == 1);
}

TEST_CASE("pool: without a number it has a worker for each processor of this process") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const mp::Pool pool;
    CHECK(pool.processes() == mp::os::process_cpu_count());
}

TEST_CASE("pool: workers have names of their own") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(1, {.start_method = method});
    const std::string name = pool.apply([] { return mp::current_process().name(); });
    CHECK(name == (method == "fork" ? "ForkPoolWorker-1" : "SpawnPoolWorker-1"));
}

TEST_CASE("pool: many applies one after the other") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 2000; ++i)
        REQUIRE(pool.apply(add, mp::args(i, 1)) == i + 1);
}

TEST_CASE("pool: a pool can be moved") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool first(1, {.start_method = EVERY_START_METHOD});
    mp::Pool second(std::move(first));
    CHECK(second.apply(add, mp::args(1, 1)) == 2);
    CHECK_THROWS_AS(first.apply(add, mp::args(1, 1)), mp::ValueError);  // NOLINT
    CHECK_THROWS_AS(first.processes(), mp::ValueError);  // NOLINT
}
