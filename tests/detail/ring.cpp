// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/ring.hpp>

#include <cstdint>
#include <random>
#include <system_error>

#include "detail/ring_fixture.hpp"
#include "support/catch.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace ring_test;
using detail::ring_growth;

TEST_CASE("ring: messages arrive in order and whole, whatever their sizes") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::mt19937 random(7);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    while (got < 20'000) {
        const bool writes = put < 20'000 && random() % 2 == 0;
        for (auto burst = random() % 50; burst > 0; --burst) {
            if (writes && put < 20'000) {
                const std::size_t bytes = random() % 100 == 0 ? random() % 20'000 : random() % 300;
                REQUIRE(out.put(put++, bytes + sizeof(std::uint64_t)));
            } else if (const auto number = in.get()) {
                REQUIRE(*number == got++);
            }
        }
    }
    CHECK_FALSE(in.get());
    CHECK_FALSE(in.ec);
}

TEST_CASE("ring: a message fits wherever the last one ended") {
    for (std::size_t lead = 8; lead < 2 * first_bytes; lead += 8) {
        const ring_fixture ring;
        writing_side out(ring);
        reading_side in(ring);
        REQUIRE(out.put(1, lead));
        REQUIRE(in.get() == 1U);
        for (std::uint64_t i = 2; i < 8; ++i)
            REQUIRE(out.put(i, 700));
        for (std::uint64_t i = 2; i < 8; ++i)
            REQUIRE(in.get() == i);
    }
}

TEST_CASE("ring: a small message waits for the reader where only large ones may ask for memory") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::uint64_t put = 0;
    while (out.put(put, 100, ring_growth::for_large_messages))
        ++put;
    CHECK_FALSE(out.ec);
    CHECK(put > 20);
    CHECK(out.put(put, 100'000, ring_growth::for_large_messages));
    for (std::uint64_t i = 0; i <= put; ++i)
        REQUIRE(in.get() == i);
    CHECK(out.put(put, 100, ring_growth::for_large_messages));
}

TEST_CASE("ring: it is roomy while the reader leaves a quarter free") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    CHECK(out.writer.is_roomy());
    std::uint64_t used = 0;
    while (out.put(1, 100, ring_growth::for_large_messages))
        used += detail::record::bytes(100);
    CHECK(used > first_bytes - 2 * detail::record::bytes(100));
    for (; !out.writer.is_roomy(); used -= detail::record::bytes(100))
        REQUIRE(in.get() == 1U);
    CHECK(used <= first_bytes - first_bytes / 4);
    CHECK(used + detail::record::bytes(100) > first_bytes - first_bytes / 4);
    CHECK(out.writer.is_roomy());
    REQUIRE(out.put(2, 100, ring_growth::for_large_messages));
}

TEST_CASE("ring: what was reserved and not committed is never seen") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::mt19937 random(3);
    std::uint64_t got = 0;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        // Wraps, jumps and new segments are dropped like this, too.
        for (auto drops = random() % 3; drops > 0; --drops)
            REQUIRE(out.reserve(random() % (random() % 10 == 0 ? 50'000 : 2'000)) != nullptr);
        REQUIRE(out.put(i, 8 + random() % 1'000));
        while (random() % 3 != 0 && got <= i)
            REQUIRE(in.get() == got++);
    }
    while (got < 2'000)
        REQUIRE(in.get() == got++);
    CHECK_FALSE(in.get());
}

TEST_CASE("ring: batches of any size are seen when they are published, and not before") {
    // The count of 1200 goes beyond what the system call that wakes a sleeper can add at once.
    for (const std::uint64_t batch : {1U, 2U, 3U, 1000U, 1200U, 5001U}) {
        const ring_fixture ring;
        writing_side out(ring);
        reading_side in(ring);
        for (int round = 0; round < 4; ++round) {
            for (std::uint64_t i = 0; i < batch; ++i)
                REQUIRE(out.stage(i));
            CHECK_FALSE(in.stage());
            out.writer.publish();
            CHECK(out.writer.backlog() == batch);
            for (std::uint64_t i = 0; i < batch; ++i)
                REQUIRE(in.stage() == i);
            CHECK(out.writer.backlog() == batch);
            in.reader.release();
            CHECK(out.writer.backlog() == 0);
        }
    }
}

// A producer once waited on the count as it was a moment after its look: had the reader gone on in
// between, and then no further, the producer slept beside free room.
TEST_CASE("ring: room that came after the look ends the wait for it") {
    const support::watchdog watchdog;
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (std::uint64_t i = 0; i < 3; ++i)
        REQUIRE(out.put(i));
    REQUIRE_FALSE(out.writer.backlog_below(3));
    REQUIRE(in.get() == 0U);
    CHECK_FALSE(out.writer.wait(out.writer.seen(), detail::deadline::never()));
    CHECK(out.writer.backlog_below(3));

    std::uint64_t put = 3;
    while (out.put(put, 100, ring_growth::for_large_messages))
        ++put;
    REQUIRE(in.get() == 1U);
    CHECK_FALSE(out.writer.wait(out.writer.seen(), detail::deadline::never()));
}

TEST_CASE("ring: counts go round at 2^31") {
    const ring_fixture ring;
    constexpr std::uint32_t near_end = 0x7fffffffU - 3;
    detail::wait_word(ring.control().writer.count).advance(near_end);
    detail::wait_word(ring.control().reader.count).advance(near_end);
    ring.control().writer.prepare(near_end - 1, near_end, {});
    ring.control().reader.prepare(near_end - 1, near_end, {});
    writing_side out(ring);
    reading_side in(ring);
    for (std::uint64_t i = 0; i < 10; ++i)
        REQUIRE(out.put(i));
    CHECK(out.writer.backlog() == 10);
    CHECK_FALSE(out.writer.backlog_below(10));
    CHECK(out.writer.backlog_below(11));
    writing_side other(ring);
    REQUIRE(other.put(10));
    for (std::uint64_t i = 0; i < 11; ++i)
        REQUIRE(in.get() == i);
    CHECK(in.reader.backlog() == 0);
    reading_side late(ring);
    CHECK_FALSE(late.get());
}

TEST_CASE("ring: offsets go round at 2^51, some petabytes after the segment was entered") {
    const ring_fixture ring;
    detail::ring_position near_end;
    near_end.advance((std::uint64_t{1} << 51) - 96);
    detail::wait_word(ring.control().writer.count).advance(1);
    detail::wait_word(ring.control().reader.count).advance(1);
    ring.control().writer.prepare(0, 1, near_end);
    ring.control().reader.prepare(0, 1, near_end);
    const std::uint64_t ahead = GENERATE(1u, 4u, 300u);
    writing_side out(ring);
    reading_side in(ring);
    std::uint64_t put = 0;
    for (std::uint64_t got = 0; got < 5000; ++got) {
        while (put < got + ahead)
            REQUIRE(out.put(put++));
        if (put % 7 == 0)
            out.writer.sync();
        REQUIRE(in.get() == got);
    }
    writing_side other(ring);
    REQUIRE(other.put(put));
}

}  // namespace
