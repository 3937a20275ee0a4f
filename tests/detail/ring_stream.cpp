// SPDX-License-Identifier: MIT
// The segment that a stream of messages goes on in, and the way back.
#include <multiprocessing/detail/ring.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>

#include <multiprocessing/detail/queue_core.hpp>

#include "detail/ring_fixture.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/rounds.hpp"

namespace {

using namespace ring_test;
using detail::ring_growth;
using detail::ring_memory;

TEST_CASE("ring: a stream goes on in a larger segment, and comes back when it has ended") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (int turn = 0; turn < 3; ++turn) {
        for (std::uint64_t i = 0; i < 10'000; ++i) {
            REQUIRE(out.put(i, 1'000, ring_growth::for_stream));
            REQUIRE(in.get() == i);
            REQUIRE(in.reader.capacity() == ring_memory::stream_bytes);
        }
        for (std::uint64_t i = 0; i < 1'100; ++i) {
            REQUIRE(out.put(i, 100, ring_growth::for_large_messages));
            REQUIRE(in.get() == i);
        }
        CHECK(in.reader.capacity() == first_bytes);
    }
}

TEST_CASE("ring: a stream waits with its new segment until the reader has left an older one") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    constexpr std::uint64_t many = first_bytes / 80;  // More than there is room for.
    for (std::uint64_t i = 0; i < many; ++i)
        REQUIRE(out.put(i, 100, ring_growth::whenever_full));
    for (std::uint64_t i = many; i < many + 10; ++i)
        REQUIRE(out.put(i, 100, ring_growth::for_stream));
    for (std::uint64_t i = 0; i < many + 10; ++i) {
        REQUIRE(in.get() == i);
        CHECK(in.reader.capacity() < ring_memory::stream_bytes);
    }
    REQUIRE(out.put(many + 10, 100, ring_growth::for_stream));
    CHECK(in.get() == many + 10);
    CHECK(in.reader.capacity() == ring_memory::stream_bytes);
}

TEST_CASE("ring: a message that is large for the segment of streams goes where large ones go") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    const std::size_t bytes = GENERATE(std::size_t{600'000}, std::size_t{3'000'000});
    REQUIRE(out.put(bytes, bytes, ring_growth::for_stream));
    CHECK(in.get() == bytes);
    CHECK(in.reader.capacity() > ring_memory::stream_bytes / 2);
    CHECK(in.reader.capacity() > 2 * bytes);  // Another one may wait behind it.
    REQUIRE(out.put(1, 8, ring_growth::for_stream));
    CHECK(in.get() == 1U);
}

TEST_CASE("ring: a stream leaves a larger segment when its backlog has gone, and gives it back") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    while (put < 20'000)
        REQUIRE(out.put(put++, 1'000, ring_growth::whenever_full));
    while (got < put)
        REQUIRE(in.get() == got++);
    CHECK(in.reader.capacity() > 4 * ring_memory::stream_bytes);
    // Back after 1,024 messages, and all memory above given back with the next lap.
    for (int i = 0; i < 5'000; ++i) {
        REQUIRE(out.put(put++, 1'000, ring_growth::for_stream));
        REQUIRE(in.get() == got++);
    }
    CHECK(in.reader.capacity() == ring_memory::stream_bytes);
    CHECK(ring.holds_less_than(3 * ring_memory::stream_bytes));
}

TEST_CASE("ring: a stream with a backlog leaves a segment that is too large for it") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    REQUIRE(out.put(7, 64 << 20));
    std::uint64_t put = 0;
    while (put < 1'024)  // As many wait all the time.
        REQUIRE(out.put(put++, 1'000, ring_growth::for_stream));
    REQUIRE(in.get() == 7U);
    for (std::uint64_t got = 0; got < 6'000; ++got) {
        REQUIRE(in.get() == got);
        REQUIRE(out.put(put++, 1'000, ring_growth::for_stream));
    }
    CHECK(in.reader.capacity() == ring_memory::stream_bytes);
    CHECK(ring.holds_less_than(3 * ring_memory::stream_bytes));
}

TEST_CASE("ring: a stream between them keeps single messages from leading back") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (int turn = 0; turn < 5; ++turn)
        for (std::uint64_t i = 0; i < 1'000; ++i) {
            REQUIRE(out.put(i, 300,
                            i < 600 ? ring_growth::for_large_messages : ring_growth::for_stream));
            REQUIRE(in.get() == i);
            if (turn > 0)
                REQUIRE(in.reader.capacity() == ring_memory::stream_bytes);
        }
}

TEST_CASE("ring: a stream that is dropped before it is published has left nothing") {
    const ring_fixture ring;
    const bool died = GENERATE(false, true);
    writing_side out(ring);
    reading_side in(ring);
    constexpr std::size_t bytes = 500'000;
    std::byte* const place = out.reserve(bytes, ring_growth::for_stream);
    REQUIRE(place != nullptr);
    std::memset(place, 1, bytes);
    if (died) {
        writing_side next(ring);
        next.writer.drop_unfinished();
    } else {
        out.writer.drop();
    }
    CHECK(ring.holds_less_than(bytes / 2));
    CHECK_FALSE(in.get());
    writing_side next(ring);
    REQUIRE(next.put(1));
    CHECK(in.get() == 1U);
    CHECK(in.reader.capacity() == first_bytes);
}

TEST_CASE("ring: who dies on the way to a stream's segment leaves a ring that the next goes on in") {
    const ring_fixture ring;
    reading_side in(ring);
    {
        writing_side dead(ring);
        REQUIRE(dead.put(1));
        REQUIRE(dead.stage(100, 1'000, ring_growth::for_stream));
        // What publish() does before the count moves.
        const auto segment = dead.memory.segment_for(0, ring_memory::stream_bytes);
        ring.control().writer.prepare(1, 2, {1'008, segment, segment, true});
    }
    writing_side out(ring);
    const auto growth = GENERATE(ring_growth::whenever_full, ring_growth::for_stream);
    for (std::uint64_t i = 2; i < 5'000; ++i) {
        REQUIRE(out.put(i, 500, growth));
        REQUIRE(in.get() == i - 1);
    }
    CHECK(in.get() == 4'999U);
    CHECK_FALSE(in.get());
}

TEST_CASE("ring: writers take turns of which one sees a stream and the other does not") {
    const ring_fixture ring;
    writing_side a(ring);
    writing_side b(ring);
    reading_side in(ring);
    std::mt19937 random(47);
    std::uint64_t got = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        const bool streams = random() % 2 == 0;
        writing_side& out = streams ? a : b;
        out.writer.sync();
        REQUIRE(out.put(i, 8 + random() % 900,
                        streams ? ring_growth::for_stream : ring_growth::whenever_full));
        while (random() % 4 != 0 && got <= i)
            REQUIRE(in.get() == got++);
    }
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no limits that a process sets itself.
TEST_CASE("ring: a stream that is refused a larger segment stays in its own") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    const support::file_size_limit limit(1 << 20);
    for (std::uint64_t i = 0; i < 1'000; ++i) {
        REQUIRE(out.put(i, 1'000, ring_growth::for_stream));
        REQUIRE_FALSE(out.ec);
        REQUIRE(in.get() == i);
    }
    CHECK(in.reader.capacity() == first_bytes);
}
#endif

TEST_CASE("ring: streams, bursts and single messages by turns lose nothing") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::mt19937 random(41);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    for (int round = 0; round < support::rounds(200); ++round) {
        const auto growth = static_cast<ring_growth>(random() % 3);
        const std::size_t most = random() % 8 == 0 ? 100'000 : 2'000;
        for (auto burst = random() % 1'500; burst > 0; --burst) {
            put += out.put(put, 8 + random() % most, growth) ? 1 : 0;
            REQUIRE_FALSE(out.ec);
            while (put != got && random() % 2 == 0)
                REQUIRE(in.get() == got++);
        }
        for (const std::uint64_t left = random() % 3 == 0 ? random() % 100 : 0; put - got > left;)
            REQUIRE(in.get() == got++);
    }
    CHECK(put > 1'000);
}

TEST_CASE("queue: its messages go on in a larger segment where they are a stream") {
    detail::queue_core queue(0);
    const std::size_t bytes = GENERATE(std::size_t{1'000}, std::size_t{100});
    for (int i = 0; i < 600; ++i) {
        REQUIRE(queue.put(bytes, {true, {}}, [](std::byte*) {}));
        REQUIRE(queue.front({true, {}}).bytes().size() == bytes);
    }
    std::uint64_t there = 0;
    REQUIRE_FALSE(queue.block().size(there));
    CHECK((there > ring_memory::stream_bytes) == (bytes == 1'000));
}

TEST_CASE("queue: messages of which each finds the consumer asleep are no stream") {
    detail::queue_core queue(0);
    for (int i = 0; i < 600; ++i) {
        // Leaves the mark of a sleeper.
        REQUIRE_FALSE(queue.front({true, std::chrono::microseconds(1)}));
        REQUIRE(queue.put(1'000, {true, {}}, [](std::byte*) {}));
        REQUIRE(queue.front({true, {}}));
    }
    std::uint64_t there = 0;
    REQUIRE_FALSE(queue.block().size(there));
    CHECK(there < ring_memory::stream_bytes);
}

}  // namespace
