// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>
#include <multiprocessing/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

double sum(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

struct point {
    std::int32_t x;
    std::int32_t y;
};

std::string describe(const std::string& name, std::span<const point> points, char end,
                     std::span<const double> weights) {
    std::string text = name;
    for (const point& one : points)
        text += " " + std::to_string(one.x) + "," + std::to_string(one.y);
    return text + end + std::to_string(static_cast<int>(sum(weights)));
}

bool is_aligned(const std::string&, std::span<const double> values) {
    return reinterpret_cast<std::uintptr_t>(values.data()) % alignof(double) == 0;
}

double first_or(std::span<const double> values, double otherwise) {
    return values.empty() ? otherwise : values.front();
}

std::string join(const std::vector<double>& values, const std::string& between) {
    std::string text;
    for (const double value : values)
        text += std::to_string(static_cast<int>(value)) + between;
    return text;
}

double change(std::span<double> values) {
    values.front() = -1;
    return values.front() + values.back();
}

double third(std::span<const double, 3> values) {
    return values[2];
}

void fail_on(std::span<const double> values) {
    throw mp::ValueError("of " + std::to_string(values.size()));
}

}  // namespace

TEST_CASE("pool: a span is read where the worker finds it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<double> values(1000);
    std::iota(values.begin(), values.end(), 0.0);
    CHECK(pool.apply(sum, mp::args(std::span(values))) == 499500);
    CHECK(pool.apply(sum, mp::args(std::span<const double>(values).first(3))) == 3);
    CHECK(pool.apply(sum, mp::args(std::span<double, 1000>(values))) == 499500);
    CHECK(pool.apply(first_or, mp::args(std::span<double>(), 7.0)) == 7);
}

TEST_CASE("pool: spans stand among arguments of any length") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::vector<point> points{{1, 2}, {-3, 4}};
    const std::vector<double> weights{1, 2, 4};
    for (std::size_t length = 0; length < 20; ++length) {
        const std::string name(length, 'a');
        CHECK(pool.apply(describe, mp::args(name, std::span(points), ';', std::span(weights))) ==
              name + " 1,2 -3,4;7");
        CHECK(pool.apply(is_aligned, mp::args(name, std::span(weights))));
    }
}

TEST_CASE("pool: spans of megabytes, one after the other and many at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const std::vector<double> ones(1 << 20, 1.0);
    for (int i = 0; i < 10; ++i)
        CHECK(pool.apply(sum, mp::args(std::span(ones))) == 1048576);
    std::vector<mp::AsyncResult<double>> results;
    for (std::size_t i = 0; i < 10; ++i)
        results.push_back(pool.apply_async(sum, mp::args(std::span(ones).first(i))));
    for (std::size_t i = 0; i < 10; ++i)
        CHECK(results[i].get() == static_cast<double>(i));
    CHECK_THROWS_WITH(pool.apply(fail_on, mp::args(std::span(ones))), "of 1048576");
}

TEST_CASE("pool: a function that takes a vector gets a span's elements in one") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::vector<double> values{1, 2, 3};
    CHECK(pool.apply(join, mp::args(std::span(values), "; ")) == "1; 2; 3; ");
    CHECK(pool.apply_async(join, mp::args(std::span(values).first(0), "")).get().empty());
}

TEST_CASE("pool: a function that changes a span's elements has a copy of them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::vector<double> values{1, 2, 3};
    CHECK(pool.apply(change, mp::args(std::span(values))) == 2);
    CHECK(values.front() == 1);
}

TEST_CASE("pool: a span of so many elements is one there, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::vector<double> values{1, 2, 3};
    CHECK(pool.apply(third, mp::args(std::span<double, 3>(values))) == 3);
    CHECK(pool.apply(sum, std::tuple(std::span<double, 3>(values))) == 6);
}

TEST_CASE("futures: a span crosses as an argument, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::vector<double> values{1, 2, 3};
    mp::futures::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    CHECK(executor.submit(sum, std::span(values)).result() == 6);
    CHECK(executor.submit(join, std::span(values), ";").result() == "1;2;3;");
    CHECK(executor.submit({.retries = 1}, join, std::span(values), "").result() == "123");
}
