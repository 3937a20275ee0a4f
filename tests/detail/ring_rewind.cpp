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
    std::uint64_t put = 0;
    const auto place = [&] {
        std::byte* const reserved = out.reserve(large);
        REQUIRE(reserved != nullptr);
        REQUIRE(out.put(put, large));  // Reserves again, at the same place.
        REQUIRE(in.get() == put++);
        return reserved;
    };
    for (int i = 0; i < 4; ++i)
        place();
    const std::byte* lowest = place();
    const std::byte* highest = lowest;
    for (int i = 0; i < 6; ++i) {
        const std::byte* const here = place();
        lowest = here < lowest ? here : lowest;
        highest = here > highest ? here : highest;
    }
    CHECK(highest - lowest < static_cast<std::ptrdiff_t>(large + large / 2));
}

// A second message once found no room beside one that had gone back, and led to a segment of twice
// the size, time and again, until there was none.
TEST_CASE("ring: large messages of which some wait stay in a segment of their size") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    const std::uint64_t most = GENERATE(2U, 3U);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    for (int turn = 0; turn < 12; ++turn) {
        for (std::uint64_t waiting = turn % 3 == 0 ? 1 : most; waiting > 0; --waiting)
            REQUIRE(out.put(put++, large));
        while (got < put)
            REQUIRE(in.get() == got++);
    }
    CHECK(in.reader.capacity() <= 8 * large);
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
    CHECK(y.reader.capacity() <= 16 * large);
}

TEST_CASE("ring: who dies over a message that went back leaves a ring that the next goes on in") {
    const ring_fixture ring;
    reading_side in(ring);
    {
        writing_side dead(ring);
        std::byte* last = nullptr;
        for (std::uint64_t i = 0; i < 3; ++i) {
            last = dead.reserve(large);
            REQUIRE(dead.put(i, large));
            REQUIRE(in.get() == i);
        }
        std::byte* const place = dead.reserve(large);
        REQUIRE(place != nullptr);
        CHECK(place < last);
        std::memset(place, 99, large);
    }
    writing_side out(ring);
    CHECK_FALSE(in.get());
    REQUIRE(out.put(3));
    REQUIRE(out.put(4, large));
    CHECK(in.get() == 3U);
    CHECK(in.get() == 4U);
}

TEST_CASE("ring: others take over where a large message went back") {
    const ring_fixture ring;
    writing_side a(ring);
    writing_side b(ring);
    reading_side x(ring);
    reading_side y(ring);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    std::byte* last = nullptr;
    for (; put < 3; ++put) {
        last = a.reserve(large);
        REQUIRE(a.put(put, large));
        REQUIRE(x.get() == got++);
    }
    int went_back = 0;
    for (int turn = 0; turn < 6; ++turn) {
        went_back += a.reserve(large) < last;
        REQUIRE(a.put(put++, large));
        if (turn % 2 == 0) {
            b.writer.sync();
            REQUIRE(b.put(put++, 1'000));
            a.writer.sync();
            REQUIRE(x.get() == got++);
        }
        y.reader.sync();
        REQUIRE(y.get() == got++);
        x.reader.sync();
    }
    CHECK(went_back > 2);
    CHECK(got == put);
    CHECK(y.reader.capacity() == 4 * large);
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
