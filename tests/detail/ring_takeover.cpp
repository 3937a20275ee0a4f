// SPDX-License-Identifier: MIT
// A process that dies on one side of a ring, at every step of its way, and another that goes on.
#include <multiprocessing/detail/ring.hpp>

#include <cstdint>
#include <random>

#include "detail/ring_fixture.hpp"
#include "support/catch.hpp"

namespace {

using namespace ring_test;

TEST_CASE("ring: processes take turns on both sides") {
    const ring_fixture ring;
    writing_side a(ring);
    writing_side b(ring);
    reading_side x(ring);
    reading_side y(ring);
    std::mt19937 random(11);
    std::uint64_t got = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        writing_side& out = random() % 2 == 0 ? a : b;
        out.writer.sync();
        REQUIRE(out.put(i, 8 + random() % (random() % 50 == 0 ? 9'000 : 200)));
        while (random() % 4 != 0 && got <= i) {
            reading_side& in = random() % 2 == 0 ? x : y;
            in.reader.sync();
            REQUIRE(in.get() == got++);
        }
    }
}

// A batch of even size once wrote its position over the one still in force: who took over between
// that and the move of the count delivered what the dead had staged, and was one message late ever
// after.
TEST_CASE("ring: a writer that dies before its batch is published has published nothing") {
    for (std::uint32_t batch = 1; batch <= 4; ++batch) {
        const ring_fixture ring;
        reading_side in(ring);
        {
            writing_side dead(ring);
            REQUIRE(dead.put(1));
            for (std::uint32_t i = 0; i < batch; ++i)
                REQUIRE(dead.stage(100 + i));
            // What publish() does before the count moves.
            detail::ring_position beyond;
            beyond.advance(16 + 16 * batch);
            ring.control().writer.prepare(1, 1 + batch, beyond);
        }
        writing_side out(ring);
        REQUIRE(out.put(2));
        CHECK(in.get() == 1U);
        CHECK(in.get() == 2U);
        CHECK_FALSE(in.get());
    }
}

TEST_CASE("ring: what a reader had staged and not released is there for the next one") {
    for (std::uint32_t batch = 1; batch <= 4; ++batch) {
        const ring_fixture ring;
        writing_side out(ring);
        for (std::uint64_t i = 0; i < 6; ++i)
            REQUIRE(out.put(i));
        {
            reading_side dead(ring);
            REQUIRE(dead.get() == 0U);
            for (std::uint64_t i = 0; i < batch; ++i)
                REQUIRE(dead.stage() == 1 + i);
            detail::ring_position beyond;
            beyond.advance(16 + 16 * batch);
            ring.control().reader.prepare(1, 1 + batch, beyond);
        }
        reading_side in(ring);
        for (std::uint64_t i = 1; i < 6; ++i)
            REQUIRE(in.get() == i);
        CHECK_FALSE(in.get());
    }
}

// The writer once read the count and then the position; the reader had gone on twice in between,
// the second time without having moved its count yet. Its room was used again, and the reader's
// successor went back to it.
TEST_CASE("ring: a position that is prepared and not in force is not believed") {
    const ring_fixture ring;
    auto& reader = ring.control().reader;
    detail::ring_position second;
    second.advance(64);
    reader.prepare(0, 1, second);
    std::uint32_t count = 7;
    detail::ring_position position;
    REQUIRE(reader.look(count, position));
    CHECK(count == 0);
    CHECK(position.offset() == 0);
    detail::wait_word(reader.count).advance(1);
    REQUIRE(reader.look(count, position));
    CHECK(count == 1);
    CHECK(position.offset() == 64);
}

TEST_CASE("ring: a process that died in the middle of a batch and came back is in step") {
    const ring_fixture ring;
    writing_side out(ring);
    writing_side other(ring);
    reading_side in(ring);
    REQUIRE(out.stage(50));
    REQUIRE(out.stage(51));
    other.writer.sync();
    REQUIRE(other.put(1));
    out.writer.sync();  // Drops what it had staged.
    REQUIRE(out.put(2));
    CHECK(in.get() == 1U);
    CHECK(in.get() == 2U);
    CHECK_FALSE(in.get());
}

// A reader that claims to be ahead of the writer made the sum of what is used and what is wanted go
// round: a message of any size was written where the segment, and its mapping, had ended.
TEST_CASE("ring: a reader's position that was damaged leads no writer out of its memory") {
    const ring_fixture ring;
    constexpr std::uint64_t payload = 1 << 20;
    writing_side out(ring);
    detail::ring_position beyond;
    beyond.advance(detail::record::bytes(payload) + 8 * GENERATE(0U, 1U, 100U));
    ring.control().reader.prepare(0, 1, beyond);
    detail::wait_word(ring.control().reader.count).advance(1);
    REQUIRE(out.put(1));
    CHECK(out.put(2, payload));
    CHECK(out.put(3));
}

// The place of a segment beyond the last was computed as that of the first: all was given back.
TEST_CASE("ring: a writer's position that was damaged costs no memory that is in use") {
    const ring_fixture ring;
    reading_side in(ring);
    {
        writing_side dead(ring);
        REQUIRE(dead.put(1));
    }
    ring.control().writer.prepare(0, 1, {16, 0, 63, false});
    writing_side out(ring);
    out.writer.drop_unfinished();
    CHECK(in.get() == 1U);
}

}  // namespace
