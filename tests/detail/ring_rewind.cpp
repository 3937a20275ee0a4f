// SPDX-License-Identifier: MIT
// Large messages that lie where the one before them lay, and offsets that go round.
#include <multiprocessing/detail/ring.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>

#include "detail/ring_fixture.hpp"
#include "support/catch.hpp"
#include "support/rounds.hpp"

namespace {

using namespace ring_test;

constexpr std::size_t large = 4 << 20;

TEST_CASE("ring: large messages that are read one by one use the memory of two") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (std::uint64_t i = 0; i < 10; ++i) {
        REQUIRE(out.put(i, large));
        REQUIRE(in.get() == i);
    }
    CHECK(in.reader.capacity() > 3 * large);
    CHECK(ring.holds_less_than(2 * large + large / 4));
}

TEST_CASE("ring: a large message leaves alone what has not been read") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    for (int round = 0; round < 4; ++round) {
        for (int waiting = 0; waiting < round; ++waiting, ++put)
            REQUIRE(out.put(put, large + 8 * put));
        REQUIRE(out.put(put++));
        REQUIRE(out.put(put++, large));
        while (got < put)
            REQUIRE(in.get() == got++);
    }
}

TEST_CASE("ring: large and small messages by turns, with and without a backlog, arrive whole") {
    const ring_fixture ring;
    writing_side a(ring);
    writing_side b(ring);
    reading_side x(ring);
    reading_side y(ring);
    std::mt19937 random(53);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    for (int round = 0; round < support::rounds(40); ++round) {
        writing_side& out = random() % 2 == 0 ? a : b;
        out.writer.sync();
        REQUIRE(out.put(put++, large + random() % large));
        for (auto small = random() % 4; small > 0; --small)
            REQUIRE(out.put(put++, 8 + random() % 5'000));
        reading_side& in = random() % 2 == 0 ? x : y;
        in.reader.sync();
        for (const std::uint64_t left = random() % 3; put - got > left;)
            REQUIRE(in.get() == got++);
    }
    y.reader.sync();
    while (got < put)
        REQUIRE(y.get() == got++);
}

TEST_CASE("ring: who dies over a message that went back leaves a ring that the next goes on in") {
    const ring_fixture ring;
    reading_side in(ring);
    for (std::uint64_t i = 0; i < 3; ++i) {
        writing_side dead(ring);
        REQUIRE(dead.put(i, large));
        REQUIRE(in.get() == i);
    }
    {
        writing_side dead(ring);
        std::byte* const place = dead.reserve(large);
        REQUIRE(place != nullptr);
        std::memset(place, 99, large);
    }
    writing_side out(ring);
    CHECK_FALSE(in.get());
    REQUIRE(out.put(3));
    REQUIRE(out.put(4, large));
    CHECK(in.get() == 3U);
    CHECK(in.get() == 4U);
}

// After 2 PiB the offset ran into the bits beside it.
TEST_CASE("ring: its offsets go round") {
    const ring_fixture ring;
    const std::uint64_t left = GENERATE(16U, 48U, 2'000U);
    const detail::ring_position last((std::uint64_t{1} << 51) - left, 0, 0, false);
    ring.control().writer.prepare(0, 1, last);
    ring.control().reader.prepare(0, 1, last);
    detail::wait_word(ring.control().writer.count).advance(1);
    detail::wait_word(ring.control().reader.count).advance(1);
    writing_side out(ring);
    reading_side in(ring);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    while (put < 200) {
        REQUIRE(out.put(put, 100, detail::ring_growth::for_large_messages));
        ++put;
        while (put - got > (put / 8) % 20)
            REQUIRE(in.get() == got++);
    }
    CHECK(in.reader.capacity() == first_bytes);
    REQUIRE(out.put(put++, large));
    while (got < put)
        REQUIRE(in.get() == got++);
}

}  // namespace
