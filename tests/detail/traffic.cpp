// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/traffic.hpp>

#include "support/catch.hpp"

namespace {

using multiprocessing::detail::traffic;

void note(traffic& seen, int times, std::size_t bytes = 1'024, bool reader_slept = false) {
    for (int i = 0; i < times; ++i)
        seen.note(bytes, reader_slept);
}

TEST_CASE("traffic: 512 messages for a reader that is at work are a stream") {
    traffic seen;
    CHECK_FALSE(seen.is_stream());
    note(seen, 511);
    CHECK_FALSE(seen.is_stream());
    note(seen, 1);
    CHECK(seen.is_stream());
    note(seen, 1'000'000);
    CHECK(seen.is_stream());
}

TEST_CASE("traffic: a reader that sleeps, or a small message, ends a stream") {
    const bool slept = GENERATE(true, false);
    traffic seen;
    note(seen, 600);
    note(seen, 1, slept ? 1'024 : 255, slept);
    CHECK_FALSE(seen.is_stream());
    note(seen, 511);
    CHECK_FALSE(seen.is_stream());
    note(seen, 1, 256);
    CHECK(seen.is_stream());
}

TEST_CASE("traffic: where any size counts a sleeper alone ends a stream") {
    traffic seen(0);
    note(seen, 512, 0);
    CHECK(seen.is_stream());
    seen.note(0, true);
    CHECK_FALSE(seen.is_stream());
}

}  // namespace
