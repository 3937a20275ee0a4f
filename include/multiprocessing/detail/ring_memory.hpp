// SPDX-License-Identifier: MIT
// How a ring of messages lies in shared memory, and how a process finds its way in it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/os/wait_word.hpp>

namespace multiprocessing::detail {

// A ring is a line of control words for each side and a series of segments, each twice as large as
// the one before; all but the first exist only after a message, a backlog or a stream needed them.
// A record is a header of 8 bytes and a payload, both 8-aligned, never broken at a segment's end;
// one without a payload tells the reader to skip so many bytes.
// The writer goes on to a larger segment when the one it is in is full, or to that of streams when
// there is one, and back when the backlog or the stream has gone; a record tells the reader to
// follow. So a ring holds what its messages need, and a writer need not wait for a reader.
//
// Who writes what. The count and positions of `writer` belong to the writing side, those of
// `reader` to the reading side; only one thread of all processes is on a side at a time (a mutex of
// the owner sees to it where there are several). A position is kept twice, each with the count that
// it belongs to. The next one is written over the one that does not belong to the count of now,
// then the count moves, by however many messages, in one instruction or one system call. A process
// killed before it has published nothing, one killed after it everything; the next one on its side
// finds the position that fits the count. Nothing needs to be repaired.
//
// The other side reads count, position, count: had the count moved meanwhile, the position might be
// one that is written but not yet valid, whose process can still die; room freed on its word would
// be room that the next reader goes back to.

/// Where a side is: the segment, and how many bytes it has gone in it since it entered, which go
/// round at 2^51. One word, as it lies in shared memory: copied whole, thousands of times a
/// millisecond.
class ring_position {
public:
    constexpr ring_position() noexcept = default;
    /// The writer's only: the largest segment that the reader may still have before it, and whether
    /// the reader was in another segment when last looked for.
    constexpr ring_position(std::uint64_t offset, std::uint32_t segment, std::uint32_t highest,
                            bool split) noexcept
        : packed_(std::uint64_t{segment} << 58 | std::uint64_t{highest} << 52 |
                  std::uint64_t{split} << offset_bits | offset) {}

    std::uint64_t pack() const noexcept { return packed_; }
    /// Of damaged memory, too, an offset at which a header can lie.
    static ring_position unpack(std::uint64_t packed) noexcept {
        ring_position found;
        found.packed_ = packed & ~std::uint64_t{7};
        return found;
    }

    std::uint64_t offset() const noexcept { return packed_ & offset_mask; }
    /// How far it has gone since it was at `earlier`.
    std::uint64_t bytes_since(std::uint64_t earlier) const noexcept {
        return (packed_ - earlier) & offset_mask;
    }
    std::uint32_t segment() const noexcept { return static_cast<std::uint32_t>(packed_ >> 58); }
    std::uint32_t highest() const noexcept {
        return static_cast<std::uint32_t>(packed_ >> 52 & 63U);
    }
    bool split() const noexcept { return (packed_ >> offset_bits & 1U) != 0; }

    void advance(std::uint64_t bytes) noexcept {
        packed_ = (packed_ & ~offset_mask) | ((packed_ + bytes) & offset_mask);
    }

private:
    static constexpr unsigned offset_bits = 51;
    static_assert(shared_block::most_bytes <= std::uint64_t{1} << offset_bits);
    static constexpr std::uint64_t offset_mask = (std::uint64_t{1} << offset_bits) - 1;

    std::uint64_t packed_ = 0;
};

/// One side's words, on a line of their own.
class alignas(128) ring_side {
public:
    wait_word::cell count;

    /// The position at a count that nobody moves meanwhile: for the side's own thread.
    ring_position at(std::uint32_t count_now) const noexcept {
        return ring_position::unpack(
            slots_[place(count_now)].position.load(std::memory_order_acquire));
    }
    /// Writes the position after the next messages; valid as soon as the count is `next_count`.
    void prepare(std::uint32_t count_now, std::uint32_t next_count,
                 const ring_position& value) noexcept {
        slot& next = slots_[1 - place(count_now)];
        // Release pairs with the acquire in look(): whoever sees the position sees all that its
        // side had done before, the previous move of its count included.
        next.position.store(value.pack(), std::memory_order_release);
        next.count.store(next_count, std::memory_order_release);
    }
    /// For the other side: the count and its position, or false if they keep moving.
    bool look(std::uint32_t& count_seen, ring_position& position) const noexcept {
        for (int attempt = 0; attempt < 8; ++attempt) {
            const std::uint32_t before = wait_word::count(count);
            const ring_position found = at(before);
            if (wait_word::count(count) == before) {
                count_seen = before;
                position = found;
                return true;
            }
        }
        return false;
    }

private:
    struct slot {
        std::atomic<std::uint64_t> position;
        std::atomic<std::uint32_t> count;
    };

    std::size_t place(std::uint32_t count_now) const noexcept {
        return slots_[0].count.load(std::memory_order_acquire) == count_now ? 0 : 1;
    }

    slot slots_[2];
};

struct ring_control {
    ring_side writer;
    ring_side reader;
};

/// Counts go round at 2^31.
constexpr std::uint32_t count_between(std::uint32_t from, std::uint32_t to) noexcept {
    return (to - from) & 0x7fffffffU;
}

/// A record's kind, in the lowest bits of its header; above it the payload's bytes, those to skip,
/// this header among them, or the segment to go on to.
enum class record_kind : std::uint64_t { message = 0, skip = 1, jump = 2 };

struct record {
    static constexpr std::uint64_t header_bytes = 8;

    static constexpr std::uint64_t bytes(std::uint64_t payload) noexcept {
        return header_bytes + ((payload + 7) & ~std::uint64_t{7});
    }
    static constexpr std::uint64_t header(record_kind kind, std::uint64_t value) noexcept {
        return value << 2 | static_cast<std::uint64_t>(kind);
    }
    static constexpr record_kind kind(std::uint64_t header) noexcept {
        return static_cast<record_kind>(header & 3U);
    }
    static constexpr std::uint64_t value(std::uint64_t header) noexcept { return header >> 2; }
};

/// A ring's segments in a block of shared memory, as this process sees them: mapped when first
/// used.
class ring_memory {
public:
    static constexpr std::uint32_t most_segments = 40;
    static constexpr std::uint64_t kept_bytes = 1 << 20;
    /// What a stream of messages runs best in: more than a processor has in a cache of its own
    /// (traffic.hpp).
    static constexpr std::uint64_t stream_bytes = 2 << 20;

    /// `first_bytes` is a power of two, at least a page, the same in every process.
    ring_memory(std::shared_ptr<shared_block> block, std::uint64_t offset,
                std::uint64_t first_bytes)
        : block_(std::move(block)), offset_(offset), first_bytes_(first_bytes) {}

    /// From now on: copies of this process do not have what is mapped here.
    void withhold() noexcept { withheld_ = true; }

    std::uint64_t capacity(std::uint32_t segment) const noexcept { return first_bytes_ << segment; }

    /// The first segment above `highest` that has room for `bytes`.
    std::uint32_t segment_for(std::uint32_t highest, std::uint64_t bytes) const noexcept {
        std::uint32_t segment = highest + 1;
        while (segment < most_segments && capacity(segment) < bytes)
            ++segment;
        return segment;
    }

    /// A segment that the writer has made. What names it may be damaged: beyond the block there is
    /// none.
    std::error_code open(std::uint32_t segment, std::byte*& data) {
        if (segment >= most_segments)
            return std::make_error_code(std::errc::no_buffer_space);
        data = views_[segment].data();
        return data != nullptr ? std::error_code() : map(segment, data);
    }

    /// The same, made if it is not there yet. The writer's only.
    std::error_code make(std::uint32_t segment, std::byte*& data) {
        if (segment >= most_segments)
            return std::make_error_code(std::errc::no_buffer_space);
        if (views_[segment].data() == nullptr)
            if (const auto ec = block_->extend(place(segment) + capacity(segment)))
                return ec;
        return open(segment, data);
    }

    /// Before something is written there. A page that is new costs as much as several messages, but
    /// less where many are asked for at once: all that a large message needs, and in a backlog that
    /// has grown some more for the messages to come. What another process gave back, or has made
    /// already, is not known here: then the pages are found one by one, or at once.
    void populate(std::uint32_t segment, std::uint64_t at, std::uint64_t bytes) noexcept {
        constexpr std::uint64_t worth_a_call = 64 << 10;
        constexpr std::uint64_t ahead = 256 << 10;
        std::uint64_t& touched = touched_[segment];
        if (at + bytes <= touched)
            return;
        const std::uint64_t all = capacity(segment);
        const std::uint64_t wanted = all >= kept_bytes && bytes < ahead ? ahead : bytes;
        const std::uint64_t begin = (at > touched ? at : touched) & ~page_mask;
        const std::uint64_t end = wanted < all - at ? (at + wanted + page_mask) & ~page_mask : all;
        if (end - begin >= worth_a_call)
            views_[segment].populate(static_cast<std::size_t>(begin),
                                     static_cast<std::size_t>(end - begin));
        touched = end;
    }

    /// Gives back the memory of every segment up to `highest`, but `current` and the small ones,
    /// which the next burst needs again: a page that is new costs as much as several messages.
    void discard(std::uint32_t highest, std::uint32_t current) noexcept {
        for (std::uint32_t segment = 1; segment <= highest && segment < most_segments; ++segment)
            if (segment != current && capacity(segment) > kept_bytes) {
                block_->discard(place(segment), capacity(segment));  // Failure costs memory only.
                touched_[segment] = 0;
            }
    }
    /// Gives back the whole pages in a part of a segment.
    void discard_part(std::uint32_t segment, std::uint64_t at, std::uint64_t bytes) noexcept {
        const std::uint64_t begin = (at + page_mask) & ~page_mask;
        const std::uint64_t end = (at + bytes) & ~page_mask;
        if (begin >= end)
            return;
        block_->discard(place(segment) + begin, end - begin);
        if (touched_[segment] > begin)
            touched_[segment] = begin;
    }
    /// Gives back the memory of every segment above this one; of none above one that cannot be, as
    /// damaged memory may name it.
    void discard_above(std::uint32_t segment) noexcept {
        if (segment >= most_segments)
            return;
        for (std::uint32_t above = segment + 1; above < most_segments; ++above)
            touched_[above] = 0;
        const std::uint64_t begin = place(segment + 1);
        if (begin < shared_block::most_bytes)
            block_->discard(begin, shared_block::most_bytes - begin);
    }
    /// Gives back a segment in which nothing is, but for the page that holds `offset`.
    void discard_around(std::uint32_t segment, std::uint64_t offset) noexcept {
        const std::uint64_t begin = place(segment);
        const std::uint64_t page = offset & ~page_mask;
        touched_[segment] = 0;
        const std::uint64_t after = page + shared_block::page_bytes;
        if (page > 0)
            block_->discard(begin, page);
        if (after < capacity(segment))
            block_->discard(begin + after, capacity(segment) - after);
    }

private:
    static constexpr std::uint64_t page_mask = shared_block::page_bytes - 1;

    std::error_code map(std::uint32_t segment, std::byte*& data) {
        std::uint64_t there = 0;
        if (const auto ec = block_->size(there))
            return ec;
        if (place(segment) + capacity(segment) > there)
            return std::make_error_code(std::errc::bad_message);
        const auto ec = block_->map(views_[segment], place(segment),
                                    static_cast<std::size_t>(capacity(segment)));
        if (!ec && withheld_)
            views_[segment].withhold();
        data = views_[segment].data();
        return ec;
    }

    std::uint64_t place(std::uint32_t segment) const noexcept {
        return offset_ + first_bytes_ * ((std::uint64_t{1} << segment) - 1);
    }

    std::shared_ptr<shared_block> block_;
    std::uint64_t offset_;
    std::uint64_t first_bytes_;
    bool withheld_ = false;
    std::array<mapping, most_segments> views_;
    /// How far this process knows the pages of each to be there; below it none is asked for.
    std::array<std::uint64_t, most_segments> touched_{};
};

}  // namespace multiprocessing::detail
