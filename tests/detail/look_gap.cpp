// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/look_gap.hpp>

#include <cstdint>

#include "support/catch.hpp"

namespace {

using multiprocessing::detail::look_gap;

TEST_CASE("look_gap: waits for one message each look often, waits of a stream seldom") {
    look_gap gap;
    std::uint32_t count = 0;
    CHECK(gap.at(count) == look_gap::for_one);
    CHECK(gap.at(count += 1) == look_gap::for_one);
    CHECK(gap.at(count += 3) == look_gap::for_one);
    CHECK(gap.at(count += 4) == look_gap::for_stream);
    CHECK(gap.at(count += 2) == look_gap::for_stream);
    CHECK(gap.at(count += 1) == look_gap::for_one);
    CHECK(gap.at(count += 1'000'000) == look_gap::for_stream);
    CHECK(gap.at(count) == look_gap::for_one);
}

TEST_CASE("look_gap: a count that goes round at 2^31 is one message further, too") {
    look_gap gap;
    CHECK(gap.at(0x7fffffffU) == look_gap::for_stream);
    CHECK(gap.at(0) == look_gap::for_one);
}

}  // namespace
