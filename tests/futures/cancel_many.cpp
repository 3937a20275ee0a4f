// SPDX-License-Identifier: MIT
#include <multiprocessing/futures.hpp>

#include <chrono>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpf = multiprocessing::futures;

namespace {

int square(int x) {
    return x * x;
}

int sleep_for_ever() {
    std::this_thread::sleep_for(std::chrono::hours(24));
    return 0;
}

}  // namespace

TEST_CASE("futures: of very many that wait some are cancelled, in any order, the others are not") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto first = executor.submit(sleep_for_ever);
    std::vector<mpf::Future<int>> futures;
    for (int i = 0; i < 3000; ++i)
        futures.push_back(executor.submit(square, i));
    for (std::size_t i = futures.size(); i > 0; --i)  // Those that the worker was given are too.
        if (i % 3 == 0)
            CHECK(futures[i - 1].cancel());
    for (int i = 0; i < 10; ++i)
        futures.push_back(executor.submit(square, 3000 + i));
    first.terminate();
    for (std::size_t i = 0; i < futures.size(); ++i) {
        if (i < 3000 && (i + 1) % 3 == 0)
            CHECK(futures[i].cancelled());
        else
            CHECK(futures[i].result() == static_cast<int>(i * i));
    }
}
