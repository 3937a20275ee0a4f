// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/watch.hpp>

#include <chrono>
#include <cstdint>

#include "support/catch.hpp"

namespace {

using multiprocessing::detail::watch;
using namespace std::chrono_literals;

TEST_CASE("watch: it doubles while threads come often, up to 4 ms") {
    watch one;
    CHECK(one.time() == 1ms);
    one.ended(50);
    CHECK(one.time() == 2ms);
    one.ended(100);
    CHECK(one.time() == 4ms);
    one.ended(1'000'000);
    CHECK(one.time() == 4ms);
    one.ended(200);
    CHECK(one.time() == 4ms);
}

TEST_CASE("watch: it is short again as soon as they come less often, for its length") {
    const std::uint64_t visits = GENERATE(0U, 1U, 49U, 199U);
    watch one;
    for (int i = 0; i < 3; ++i)
        one.ended(1'000);
    REQUIRE(one.time() == 4ms);
    one.ended(visits);
    CHECK(one.time() == 1ms);
}

}  // namespace
