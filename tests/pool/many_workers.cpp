// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

}  // namespace

TEST_CASE("pool: many workers share many tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const int count = method == "fork" ? 200 : 40;
    mp::Pool pool(count, {.start_method = method});
    std::vector<int> numbers(1000);
    std::vector<int> squares(1000);
    std::iota(numbers.begin(), numbers.end(), 0);
    for (std::size_t i = 0; i < squares.size(); ++i)
        squares[i] = numbers[i] * numbers[i];
    CHECK(pool.map(square, numbers) == squares);
    CHECK(pool.map(square, numbers, {.chunksize = 1}) == squares);
    const auto pids = pool.worker_pids();
    CHECK(std::set<int>(pids.begin(), pids.end()).size() == static_cast<std::size_t>(count));
}
