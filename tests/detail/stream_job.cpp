// SPDX-License-Identifier: MIT
// An executable of its own, for it replaces operator new.
#include <multiprocessing/detail/stream_job.hpp>

#include <cstddef>
#include <cstdint>

#include "../support/catch.hpp"
#include "../support/leftovers.hpp"
#include "../support/watchdog.hpp"
#include "../support/watched_memory.hpp"

namespace {

std::size_t allocations = 0;

}  // namespace

void support::see_allocation(std::size_t) noexcept {
    ++allocations;
}

namespace {

struct same {
    int operator()(int x) const { return x; }
};

using job = multiprocessing::detail::stream_job<same, int>;

void stage_one(job& work) {
    const std::uint32_t number = work.take_free();
    work[number].elements.push_back(1);
    work.stage(number);
}

}  // namespace

// The list of places that were done was swapped for one without room: to tell of the next one, in a
// function that may not throw, asked for memory.
TEST_CASE("stream job: to be told that a place is done asks for no memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    constexpr std::size_t places = 4;
    job work(same{}, places, false);
    for (std::size_t i = 0; i < places; ++i)
        stage_one(work);
    const std::size_t before = allocations;
    bool right = true;
    for (std::size_t i = 0; i < places; ++i) {
        work.take_error(i, nullptr);
        std::uint32_t number = places;
        right = right && work.collect() && work.take_ready(number) && number == i;
    }
    const std::size_t after = allocations;
    CHECK(after == before);
    CHECK(right);
}
