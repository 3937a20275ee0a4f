// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <cstddef>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

constexpr std::size_t mebi = 1 << 20;

int square(int x) {
    return x * x;
}

std::vector<double> halve(std::vector<double> values) {
    for (double& value : values)
        value /= 2;
    return values;
}

std::string repeat(char letter, std::size_t count) {
    return std::string(count, letter);
}

std::size_t length(const std::string& text) {
    return text.size();
}

}  // namespace

TEST_CASE("pool: 8 MiB go there and come back, many times") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<double> values(mebi);
    std::iota(values.begin(), values.end(), 0.0);
    std::vector<mp::AsyncResult<std::vector<double>>> results;
    for (int i = 0; i < 10; ++i)
        results.push_back(pool.apply_async(halve, mp::args(values)));
    for (const auto& result : results) {
        const auto halves = result.get();
        REQUIRE(halves.size() == mebi);
        CHECK(halves[1] == 0.5);
        CHECK(halves.back() == (mebi - 1) / 2.0);
    }
}

TEST_CASE("pool: 100 MiB go there and come back") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(length, mp::args(std::string(100 * mebi, 'x'))) == 100 * mebi);
    CHECK(pool.apply(repeat, mp::args('y', 100 * mebi)).size() == 100 * mebi);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

TEST_CASE("pool: large and small tasks mixed keep their own values") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    std::vector<std::pair<mp::AsyncResult<std::string>, std::size_t>> results;
    for (std::size_t i = 0; i < 400; ++i) {
        const std::size_t bytes = i % 20 == 0 ? 2 * mebi + i : i;
        results.emplace_back(
            pool.apply_async(repeat, mp::args(static_cast<char>('a' + i % 26), bytes)), bytes);
    }
    for (std::size_t i = 0; i < 400; ++i) {
        const std::string text = results[i].first.get();
        CHECK(text == std::string(results[i].second, static_cast<char>('a' + i % 26)));
    }
}

TEST_CASE("pool: a map over large elements") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const std::vector<std::string> texts(32, std::string(mebi, 'z'));
    CHECK(pool.map(length, texts) == std::vector<std::size_t>(32, mebi));
    CHECK(pool.map(length, texts, {.chunksize = 1}) == std::vector<std::size_t>(32, mebi));
}

TEST_CASE("pool: terminated with much data on its way it ends") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 50; ++i)
        pool.apply_async(repeat, mp::args('x', 4 * mebi));
    pool.terminate();
    pool.join();
}

TEST_CASE("pool: 200,000 results outstanding") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 200000; ++i)
        results.push_back(pool.apply_async(square, mp::args(i % 1000)));
    pool.close();
    pool.join();
    int right = 0;
    for (int i = 0; i < 200000; ++i)
        right += results[static_cast<std::size_t>(i)].get() == i % 1000 * (i % 1000);
    CHECK(right == 200000);
}

TEST_CASE("pool: 64 workers take 1,000 tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(64, {.start_method = EVERY_START_METHOD});
    const auto pids = pool.worker_pids();
    CHECK(std::set<int>(pids.begin(), pids.end()).size() == 64);
    CHECK(pool.map(square, std::vector<int>(1000, 5), {.chunksize = 1}) ==
          std::vector<int>(1000, 25));
    CHECK(pool.worker_pids() == pids);
}
