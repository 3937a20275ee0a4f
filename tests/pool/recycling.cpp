// SPDX-License-Identifier: MIT
// A worker that takes more and more memory.
#include <multiprocessing/pool.hpp>

#include <cstddef>
#include <set>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

std::vector<std::vector<char>> hoard;

/// Keeps some megabytes more each time.
int grow(int megabytes) {
    hoard.emplace_back(static_cast<std::size_t>(megabytes) << 20, 'x');
    return mp::os::getpid();
}

}  // namespace

TEST_CASE("pool: a worker that has grown is replaced, and no task is lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD, .recycle_above = 400 << 20});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 30; ++i)
        results.push_back(pool.apply_async(grow, mp::args(60)));
    std::set<int> pids;
    for (const auto& result : results)
        pids.insert(result.get());
    CHECK(pids.size() >= 3);
    CHECK(pids.size() < 30);
}
