// SPDX-License-Identifier: MIT
// Segments: when a ring grows, when it shrinks, and what its memory may do to it.
#include <multiprocessing/detail/ring_memory.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <system_error>

#include "detail/ring_fixture.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/rounds.hpp"

namespace {

using namespace ring_test;

TEST_CASE("ring: a backlog grows without a reader and its memory goes when it is gone") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    constexpr std::uint64_t many = 400'000;
    for (std::uint64_t i = 0; i < many; ++i)
        REQUIRE(out.put(i, 100));
    CHECK(ring.holds_more_than(many * 100));
    for (std::uint64_t i = 0; i < many; ++i)
        REQUIRE(in.get() == i);
    // Back to the first segment: some messages are put without a backlog.
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        REQUIRE(out.put(i, 100));
        REQUIRE(in.get() == i);
    }
    CHECK(ring.holds_less_than(4 * detail::ring_memory::kept_bytes));
}

#if defined(MULTIPROCESSING_POSIX)
TEST_CASE("ring: the memory of a large message is asked for at once, also what was given back") {
    if (!support::can_populate())
        return;
    const ring_fixture ring;
    writing_side out(ring);
    constexpr std::size_t bytes = 8 << 20;
    for (int round = 0; round < 2; ++round) {
        REQUIRE(out.reserve(bytes) != nullptr);
        CHECK(ring.holds_more_than(bytes));  // Before any of it is written.
        out.writer.drop();
        CHECK(ring.holds_less_than(bytes / 2));
    }
    REQUIRE(out.put(1, bytes));
    REQUIRE(out.reserve(bytes) != nullptr);  // Behind it, where there is room for two.
    CHECK(ring.holds_more_than(2 * bytes));
    out.writer.drop();
    CHECK(ring.holds_less_than(bytes + bytes / 2));
    reading_side in(ring);
    CHECK(in.get() == 1U);
    out.writer.drop();  // Nothing is reserved.
    REQUIRE(out.put(2, bytes));
    CHECK(in.get() == 2U);
}

TEST_CASE("ring: in a backlog pages are asked for many at a time") {
    if (!support::can_populate())
        return;
    const ring_fixture ring;
    writing_side out(ring);
    const auto used = [&] { return support::bytes_in_use(*ring.block); };
    while (used() <= 2 * detail::ring_memory::kept_bytes)
        REQUIRE(out.put(1, 1'000));
    int steps = 0;
    constexpr int many = 8'000;
    for (int i = 0; i < many; ++i) {
        const auto before = used();
        REQUIRE(out.put(1, 1'000));
        steps += used() != before ? 1 : 0;
    }
    CHECK(steps < many * 1'000 / 4096 / 16);
}
#endif

// The writer once learnt only at the end of a segment that the reader had kept up: all of its
// memory was touched first.
TEST_CASE("ring: a large segment is left long before its end when the backlog has gone") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (int i = 0; i < 3; ++i)
        REQUIRE(out.put(5, 64 << 20));
    for (int i = 0; i < 3; ++i)
        REQUIRE(in.get() == 5U);
    CHECK(ring.holds_more_than(3 * (64U << 20)));
    for (std::uint64_t i = 0; i < 4'000; ++i) {
        REQUIRE(out.put(i, 16));
        REQUIRE(in.get() == i);
    }
    CHECK(ring.holds_less_than(4 * detail::ring_memory::kept_bytes));
}

TEST_CASE("ring: memory goes also if nothing is put after the last message") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (std::uint64_t i = 0; i < 500'000; ++i)
        REQUIRE(out.put(i, 100));
    for (std::uint64_t i = 0; i < 500'000; ++i)
        REQUIRE(in.get() == i);
    out.writer.trim();
    CHECK(ring.holds_less_than(4 * detail::ring_memory::kept_bytes));
    for (std::uint64_t i = 0; i < 5'000; ++i) {
        REQUIRE(out.put(i, 1'000));
        REQUIRE(in.get() == i);
    }
}

TEST_CASE("ring: bursts that come and go lose nothing on the way up and down") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    std::mt19937 random(5);
    std::uint64_t put = 0;
    std::uint64_t got = 0;
    for (int round = 0; round < 60; ++round) {
        for (auto burst = random() % 3'000; burst > 0; --burst)
            REQUIRE(out.put(put++, 8 + random() % 500));
        const std::uint64_t left = random() % 4 == 0 ? random() % 500 : 0;
        while (put - got > left)
            REQUIRE(in.get() == got++);
        for (int i = 0; i < 1'500; ++i) {
            REQUIRE(out.put(put++));
            REQUIRE(in.get() == got++);
        }
    }
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no limits that a process sets itself.
TEST_CASE("ring: where files may not be large it holds what it can, then is full") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    const support::file_size_limit limit(1 << 20);
    std::uint64_t put = 0;
    while (out.put(put, 100))
        ++put;
    CHECK(out.ec == std::errc::file_too_large);
    CHECK(put > 3'000);
    for (std::uint64_t i = 0; i < put; ++i)
        REQUIRE(in.get() == i);
    REQUIRE(out.put(put, 100));
    CHECK(in.get() == put);
    // Four of this size would not fit in all that is allowed; one does.
    REQUIRE(out.put(1, 200'000));
    CHECK(in.get() == 1U);
    CHECK_FALSE(out.put(2, 2 << 20));
    CHECK(out.ec == std::errc::file_too_large);
    REQUIRE(out.put(3));
    CHECK(in.get() == 3U);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no limits that a process sets itself.
// A reader whose own limit was lower than the writer's once took the ring for damaged.
TEST_CASE("ring: a reader needs no right to write what it reads") {
    const ring_fixture ring;
    writing_side out(ring);
    REQUIRE(out.put(9, 5 << 20));
    const support::file_size_limit limit(4096);
    reading_side in(ring);
    CHECK(in.get() == 9U);
}
#endif

TEST_CASE("ring: a message that no memory can hold is an error, and the next one passes") {
    const ring_fixture ring;
    writing_side out(ring);
    reading_side in(ring);
    for (const int shift : {40, 45, 55, 61}) {
        CHECK(out.reserve(std::size_t{1} << shift) == nullptr);
        CHECK(out.ec);
    }
    REQUIRE(out.put(1));
    CHECK(in.get() == 1U);
}

TEST_CASE("ring: damaged memory is an error or a wrong message, never a crash") {
    std::mt19937_64 random(17);
    for (int round = 0; round < support::rounds(3'000); ++round) {
        const ring_fixture ring;
        writing_side out(ring);
        for (std::uint64_t i = 0; i < 30; ++i)
            REQUIRE(out.put(i, 8 + random() % 400));
        detail::mapping all;
        REQUIRE_FALSE(ring.block->map(all, 0, control_bytes + first_bytes));
        for (int hits = 1 + static_cast<int>(random() % 8); hits > 0; --hits) {
            const bool words = random() % 2 == 0;
            const std::size_t at =
                words ? random() % sizeof(detail::ring_control) : control_bytes + random() % 4096;
            all.data()[at] = static_cast<std::byte>(random());
        }
        detail::ring_memory memory(ring.block, control_bytes, first_bytes);
        detail::ring_reader reader(ring.control(), memory);
        std::error_code ec;
        std::span<const std::byte> message;
        unsigned sum = 0;
        for (int i = 0; i < 40 && reader.front(message, ec); ++i) {
            for (const std::byte b : message)
                sum += std::to_integer<unsigned>(b);
            reader.pop();
            reader.release();
        }
        writing_side late(ring);
        for (int i = 0; i < 40; ++i)
            late.put(sum, 8 + random() % 3'000);
    }
    SUCCEED();
}

TEST_CASE("ring: a record that leads beyond the block is an error") {
    const ring_fixture ring;
    writing_side out(ring);
    REQUIRE(out.put(1));
    detail::mapping first;
    REQUIRE_FALSE(ring.block->map(first, control_bytes, first_bytes));
    for (const std::uint64_t segment : {1U, 20U, 39U, 40U, 63U, 4'000'000'000U}) {
        const auto header = detail::record::header(detail::record_kind::jump, segment);
        std::memcpy(first.data(), &header, sizeof header);
        reading_side in(ring);
        CHECK_FALSE(in.get());
        CHECK(in.ec);
        std::uint64_t bytes = 0;
        CHECK_FALSE(ring.block->size(bytes));
        CHECK(bytes == control_bytes + first_bytes);
    }
}

TEST_CASE("ring: a record that leads round and round is an error") {
    using detail::record;
    using detail::record_kind;
    const ring_fixture ring;
    writing_side out(ring);
    REQUIRE(out.put(1));
    detail::mapping first;
    REQUIRE_FALSE(ring.block->map(first, control_bytes, first_bytes));
    for (const std::uint64_t header :
         {record::header(record_kind::jump, 0), record::header(record_kind::skip, 0),
          record::header(record_kind::skip, 7), record::header(record_kind::skip, first_bytes),
          record::header(record_kind::skip, ~std::uint64_t{0} >> 2)}) {
        std::memcpy(first.data(), &header, sizeof header);
        // Where the last one leads, just before the end, is another.
        const std::uint64_t back = record::header(record_kind::skip, 8);
        std::memcpy(first.data() + first_bytes - 8, &back, sizeof back);
        reading_side in(ring);
        CHECK_FALSE(in.get());
        CHECK(in.ec == std::errc::bad_message);
    }
}

}  // namespace
