// SPDX-License-Identifier: MIT
// The two sides of a ring of messages in shared memory; ring_memory.hpp says how it lies there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/wait_word.hpp>
#include <multiprocessing/detail/ring_memory.hpp>

namespace multiprocessing::detail {

/// When a segment may be left for a larger one: where it is full, for messages that are large for
/// it or for any; or where it has room, for the one that a stream of messages runs best in.
enum class ring_growth { for_large_messages, whenever_full, for_stream };

/// The writing side. One thread of one process at a time; another that takes over calls sync()
/// first.
class ring_writer {
public:
    ring_writer(ring_control& control, ring_memory& memory) noexcept
        : control_(&control), memory_(&memory), published_(control.writer.count),
          consumed_(control.reader.count),
          stream_segment_(memory.capacity(0) < ring_memory::stream_bytes
                              ? memory.segment_for(0, ring_memory::stream_bytes)
                              : 0) {
        resume();
    }

    /// Finds out where the side is if another process has written meanwhile, or died doing so.
    void sync() noexcept {
        if (published_.count() != count_ || staged_ != 0)
            resume();
    }

    /// The same where what this process remembers may be half-changed.
    void resume() noexcept {
        count_ = published_.count();
        staged_ = 0;
        tail_ = control_->writer.at(count_);
        seen_ = consumed_.count();
        // In no segment, should the look at the reader fail: what is remembered of it may be from
        // before the segment was left and entered again.
        head_ = {0, ring_memory::most_segments, 0, false};
        refresh();
    }

    /// Messages published and not yet consumed.
    std::uint32_t backlog() const noexcept { return count_between(consumed_.count(), count_); }

    /// Whether fewer than `most` messages are published and not yet consumed. The reader's line is
    /// looked at only if what was last seen of it does not tell.
    bool backlog_below(std::uint32_t most) noexcept {
        if (count_between(seen_, count_) < most)
            return true;
        seen_ = consumed_.count();
        return count_between(seen_, count_) < most;
    }

    /// Room for a payload, 8-aligned, or null: then there is none until the reader has gone on, or
    /// `ec` says why the memory cannot be had. What was reserved before and not committed is
    /// dropped.
    std::byte* reserve(std::uint64_t payload, ring_growth growth, std::error_code& ec) {
        ec = {};
        next_ = tail_;
        const std::uint64_t bytes = record::bytes(payload);
        const std::uint32_t home = growth == ring_growth::for_stream ? stream_home(bytes) : 0;
        if (tail_.segment() < home && widen(home))
            return place(payload, ec);
        if (bytes >= rewound_bytes && rewind(bytes))
            return place(payload, ec);
        if (!fits(bytes)) {
            refresh();
            next_ = tail_;
            if (!fits(bytes) && !leave(bytes, growth, ec))
                return nullptr;
        } else if (may_go_home(bytes, home)) {
            std::error_code refused;
            if (!enter(home, refused))
                calm_ = 0;  // It stays where it is, and asks again later.
        }
        return place(payload, ec);
    }

    /// Whether the reader has left a quarter of the segment free.
    bool is_roomy() noexcept {
        refresh();
        next_ = tail_;
        const std::uint64_t capacity = memory_->capacity(tail_.segment());
        return used() <= capacity - capacity / 4;
    }

    /// Gives back the memory that was found for what was reserved and not committed: a segment of its
    /// own, or that of a large message.
    void drop() noexcept {
        if (next_.segment() > tail_.highest()) {
            memory_->discard_above(tail_.highest());
        } else if (next_.segment() == tail_.segment() && next_.offset() != tail_.offset() &&
                   reserved_ > ring_memory::kept_bytes) {
            const std::uint64_t mask = memory_->capacity(next_.segment()) - 1;
            memory_->discard_part(next_.segment(), (next_.offset() - reserved_) & mask, reserved_);
        }
    }

    /// The same for what another process reserved and died over.
    void drop_unfinished() noexcept { memory_->discard_above(tail_.highest()); }

    /// Where nothing is published and not consumed: gives back all memory but the page it goes on
    /// in.
    void trim() noexcept {
        refresh();
        if (tail_.split())
            return;
        memory_->discard_above(tail_.segment());
        const std::uint64_t mask = memory_->capacity(tail_.segment()) - 1;
        memory_->discard_around(tail_.segment(), tail_.offset() & mask);
    }

    /// Stages what was reserved; it is published with publish().
    void commit() noexcept {
        tail_ = next_;
        ++staged_;
    }

    /// Makes all that was committed visible to the reader, and wakes it; returns whether it slept.
    bool publish() noexcept {
        if (staged_ == 0)
            return false;
        const std::uint32_t before = count_;
        count_ = (count_ + staged_) & 0x7fffffffU;
        control_->writer.prepare(before, count_, tail_);
        return published_.advance(std::exchange(staged_, 0U));
    }

    /// Whether the reader sees all that was published; not in memory that was damaged.
    bool is_in_step() const noexcept { return published_.count() == count_; }

    std::uint32_t consumed() const noexcept { return consumed_.count(); }
    /// What reserve() or backlog_below() last knew of consumed(), and decided on.
    std::uint32_t seen() const noexcept { return seen_; }

    /// Sleeps until the reader has consumed more than `seen`, or the time has passed. `seen` is
    /// from before the look that found no room: seen(), or consumed() asked for earlier.
    std::error_code wait(std::uint32_t seen, const deadline& until) noexcept {
        return consumed_.wait(seen, until);
    }

private:
    /// Several times what a processor has in a cache of its own. Smaller messages would be written
    /// over lines that the reader's processor still has, which takes longer.
    static constexpr std::uint64_t rewound_bytes = 4 << 20;
    static constexpr std::uint64_t rewind_gap = 64;

    /// Looks how far the reader is. Once it is in the writer's segment all others are free.
    void refresh() noexcept {
        if (!control_->reader.look(seen_, head_))
            return;
        looked_ = tail_.offset();
        if (tail_.split() && head_.segment() == tail_.segment()) {
            memory_->discard(tail_.highest(), tail_.segment());
            tail_ = {tail_.offset(), tail_.segment(), tail_.segment(), false};
        }
    }

    /// All of it, where nothing is known of a reader that must be in this segment.
    std::uint64_t used() const noexcept {
        if (head_.segment() == next_.segment())
            return next_.bytes_since(head_.offset());
        return next_.split() ? next_.offset() : memory_->capacity(next_.segment());
    }

    std::uint64_t to_end() const noexcept {
        const std::uint64_t capacity = memory_->capacity(next_.segment());
        return capacity - (next_.offset() & (capacity - 1));
    }

    /// Room for one more header always remains: for the jump to another segment. Sums are of what
    /// is known here: a reader's position that was damaged must not make them go round.
    bool fits(std::uint64_t bytes) const noexcept {
        const std::uint64_t padding = to_end() < bytes ? to_end() : 0;
        const std::uint64_t needed = padding + bytes + record::header_bytes;
        const std::uint64_t capacity = memory_->capacity(next_.segment());
        return needed <= capacity && used() <= capacity - needed;
    }

    bool leave(std::uint64_t bytes, ring_growth growth, std::error_code& ec) {
        const bool large = bytes > memory_->capacity(next_.segment()) / 4;
        if (growth != ring_growth::whenever_full && !large)
            return false;
        // Roomy, so that another message of this size may wait behind it; where the system does not
        // allow so much, as large as it must be.
        const std::uint64_t least = bytes + record::header_bytes;
        std::uint32_t segment = memory_->segment_for(next_.highest(), least + bytes);
        while (!enter(segment, ec)) {
            if (segment <= next_.highest() + 1 || memory_->capacity(segment - 1) < least)
                return false;
            --segment;
        }
        return true;
    }

    /// Goes back to the memory of the messages before it, where they come one by one: it is in a
    /// cache still, and what lies behind it need not be touched. At the place that it leaves, where
    /// the reader is, a header says how much is skipped. Half the segment stays free between the new
    /// message and that header, or room for another of this size, with a gap for a jump: else what
    /// is given before the first is read would lead to a larger segment, time and again.
    bool rewind(std::uint64_t bytes) {
        refresh();
        next_ = tail_;
        const bool alone = !tail_.split() && used() == 0;
        if (!std::exchange(was_alone_, alone) || !alone)
            return false;
        const std::uint64_t capacity = memory_->capacity(tail_.segment());
        const std::uint64_t at = tail_.offset() & (capacity - 1);
        const std::uint64_t two = 2 * bytes + rewind_gap;
        const std::uint64_t back = two > capacity / 2 ? two : capacity / 2;
        std::byte* data = nullptr;
        if (at < back || memory_->make(tail_.segment(), data))
            return false;
        skip(data + at, capacity - back);
        calm_ = 0;
        return true;
    }

    /// The segment in which messages of this size run as a stream.
    std::uint32_t stream_home(std::uint64_t bytes) const noexcept {
        return may_widen_ && bytes <= ring_memory::stream_bytes / 4 ? stream_segment_ : 0;
    }

    /// Goes on to the segment of streams, although there is room, once the reader has left all
    /// others. Where the system refuses the memory this process does not ask again.
    bool widen(std::uint32_t home) {
        calm_ = 0;
        if (tail_.split())
            refresh();
        next_ = tail_;
        if (tail_.split())
            return false;
        std::error_code ec;
        may_widen_ = enter(home, ec);
        return may_widen_;
    }

    /// Whether it is time to go back to a smaller segment: counts the messages for which it would
    /// have been enough. Here the writer looks for the reader now and then although there is room:
    /// a large segment would be walked through to its end, and all its memory be touched, before it
    /// was full.
    bool may_go_home(std::uint64_t bytes, std::uint32_t home) noexcept {
        constexpr std::uint32_t long_enough = 1024;
        if (tail_.segment() <= home) {
            calm_ = 0;
            return false;
        }
        // A stream may have a backlog all the time.
        const std::uint64_t quarter = memory_->capacity(home) / 4;
        const std::uint64_t enough = home == 0 ? quarter : 3 * quarter;
        const std::uint64_t look_after = home == 0 ? quarter / 2 : quarter / 4;
        const auto is_too_much = [&] { return bytes > enough || used() > enough - bytes; };
        if (is_too_much() && tail_.bytes_since(looked_) >= look_after) {
            refresh();
            next_ = tail_;
        }
        if (is_too_much())
            calm_ = 0;
        else if (++calm_ >= long_enough && !tail_.split())
            return true;
        return false;
    }

    bool enter(std::uint32_t segment, std::error_code& ec) {
        std::byte* header = nullptr;
        ec = memory_->make(next_.segment(), header);
        std::byte* other = nullptr;
        if (!ec)
            ec = memory_->make(segment, other);
        if (ec)
            return false;
        const std::uint64_t at = next_.offset() & (memory_->capacity(next_.segment()) - 1);
        write_header(header + at, record::header(record_kind::jump, segment));
        next_ = {0, segment, segment > next_.highest() ? segment : next_.highest(), true};
        calm_ = 0;
        return true;
    }

    std::byte* place(std::uint64_t payload, std::error_code& ec) {
        std::byte* data = nullptr;
        ec = memory_->make(next_.segment(), data);
        if (ec)
            return nullptr;
        const std::uint64_t mask = memory_->capacity(next_.segment()) - 1;
        const std::uint64_t bytes = record::bytes(payload);
        if (const std::uint64_t left = to_end(); left < bytes)
            skip(data + (next_.offset() & mask), left);
        std::byte* const at = data + (next_.offset() & mask);
        memory_->populate(next_.segment(), next_.offset() & mask, bytes);
        write_header(at, record::header(record_kind::message, payload));
        next_.advance(bytes);
        reserved_ = bytes;
        return at + record::header_bytes;
    }

    void skip(std::byte* at, std::uint64_t bytes) noexcept {
        write_header(at, record::header(record_kind::skip, bytes));
        next_.advance(bytes);
    }

    static void write_header(std::byte* at, std::uint64_t header) noexcept {
        std::memcpy(at, &header, sizeof header);
    }

    ring_control* control_;
    ring_memory* memory_;
    wait_word published_;
    wait_word consumed_;
    ring_position tail_;
    ring_position next_;
    ring_position head_;
    std::uint64_t looked_ = 0;
    /// The bytes of the last record, up to `next_`.
    std::uint64_t reserved_ = 0;
    std::uint32_t seen_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t staged_ = 0;
    std::uint32_t calm_ = 0;
    std::uint32_t stream_segment_;
    bool may_widen_ = true;
    /// Whether the last large message found all before it read.
    bool was_alone_ = false;
};

/// The reading side. One thread of one process at a time; another that takes over calls sync()
/// first.
class ring_reader {
public:
    ring_reader(ring_control& control, ring_memory& memory) noexcept
        : control_(&control), memory_(&memory), published_(control.writer.count),
          consumed_(control.reader.count) {
        resume();
    }

    void sync() noexcept {
        if (consumed_.count() != count_ || staged_ != 0)
            resume();
    }

    /// The same where what this process remembers may be half-changed.
    void resume() noexcept {
        count_ = consumed_.count();
        staged_ = 0;
        head_ = control_->reader.at(count_);
        available_ = published_.count();
    }

    /// Whether there is a message, and its payload, which stays where it is until release().
    bool front(std::span<const std::byte>& payload, std::error_code& ec) {
        ec = {};
        if (taken() == available_) {
            available_ = published_.count();
            if (taken() == available_)
                return false;
        }
        return find(payload, ec);
    }

    /// Stages the front as consumed; the writer may use its room after release().
    void pop() noexcept {
        head_ = next_;
        ++staged_;
    }

    void release() noexcept {
        if (staged_ == 0)
            return;
        const std::uint32_t before = count_;
        count_ = taken();
        control_->reader.prepare(before, count_, head_);
        consumed_.advance(std::exchange(staged_, 0U));
    }

    /// Messages so far, with those that are staged; it goes round at 2^31.
    std::uint32_t taken() const noexcept { return (count_ + staged_) & 0x7fffffffU; }
    std::uint32_t backlog() const noexcept { return count_between(taken(), published_.count()); }
    /// Whether there is nothing beyond those taken. The writer's line is looked at only if what was
    /// last seen of it does not tell.
    bool empty() const noexcept { return taken() == available_ && backlog() == 0; }
    /// The size of the segment it reads from.
    std::uint64_t capacity() const noexcept { return memory_->capacity(head_.segment()); }
    std::uint32_t staged() const noexcept { return staged_; }
    /// Before a sleep: whether the writer is where the messages that were taken end, as far as that
    /// can be told. Where it is not the memory was damaged, and no message would be found again.
    bool is_in_step() const noexcept {
        std::uint32_t count = 0;
        ring_position end;
        if (!control_->writer.look(count, end) || count != taken())
            return true;
        return end.segment() == head_.segment() && end.offset() == head_.offset();
    }

    /// Sleeps until there is a message beyond those taken, or the time has passed.
    std::error_code wait(const deadline& until) noexcept { return published_.wait(taken(), until); }

private:
    /// Follows the records to the next message. What it reads may be damaged: nothing is believed
    /// that does not lie within the segment.
    bool find(std::span<const std::byte>& payload, std::error_code& ec) {
        next_ = head_;
        for (std::uint32_t hops = 0; hops < 2 * ring_memory::most_segments; ++hops) {
            std::byte* data = nullptr;
            ec = memory_->open(next_.segment(), data);
            if (ec)
                return false;
            const std::uint64_t capacity = memory_->capacity(next_.segment());
            const std::uint64_t at = next_.offset() & (capacity - 1);
            std::uint64_t header = 0;
            std::memcpy(&header, data + at, sizeof header);
            const std::uint64_t value = record::value(header);
            if (record::kind(header) == record_kind::message) {
                if (value > capacity - at - record::header_bytes)
                    break;
                payload = {data + at + record::header_bytes, static_cast<std::size_t>(value)};
                next_.advance(record::bytes(value));
                return true;
            }
            follow(record::kind(header), value);
        }
        ec = std::make_error_code(std::errc::bad_message);
        return false;
    }

    /// One that does not exist, where it was damaged: open() refuses it.
    static std::uint32_t segment_named(std::uint64_t value) noexcept {
        return static_cast<std::uint32_t>(
            value < ring_memory::most_segments ? value : ring_memory::most_segments);
    }

    /// Damaged or not, to a place where a header can lie.
    void follow(record_kind kind, std::uint64_t value) noexcept {
        if (kind == record_kind::skip)
            next_.advance(value & ~std::uint64_t{7});
        else
            next_ = {0, segment_named(value), 0, false};
    }

    ring_control* control_;
    ring_memory* memory_;
    wait_word published_;
    wait_word consumed_;
    ring_position head_;
    ring_position next_;
    std::uint32_t count_ = 0;
    std::uint32_t available_ = 0;
    std::uint32_t staged_ = 0;
};

}  // namespace multiprocessing::detail
