// SPDX-License-Identifier: MIT
// A queue of messages between any processes: a ring in shared memory between two robust mutexes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/look_gap.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/os/robust_mutex.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/ring_memory.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/traffic.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

// The producers' mutex gives the writing side of the ring to one thread at a time, the consumers'
// mutex the reading side. A side sleeps with its mutex held: at most one thread sleeps on a count,
// the others on the mutex, from which the system wakes one when the holder dies. A holder that died
// has either published its step or not (ring_memory.hpp); the next one finds the ring as it was
// before or after, never between. So nothing is lost but what the dead process had not finished to
// put, or had taken.
struct queue_control {
    ring_control ring;
    alignas(128) robust_mutex::cell producers;
    alignas(128) robust_mutex::cell consumers;
};

/// How long a call may wait. The clock is not asked before the call has to.
class wait_limit {
public:
    wait_limit(bool block, const timeout& limit) noexcept
        : limit_(block ? limit.value_or((limit_.max)()) : limit_.zero()) {}

    bool immediate() const noexcept { return limit_ <= limit_.zero(); }
    const deadline& until() noexcept {
        if (!asked_)
            until_ = deadline::after(limit_);
        asked_ = true;
        return until_;
    }

private:
    std::chrono::nanoseconds limit_;
    bool asked_ = false;
    deadline until_ = deadline::never();
};

/// How often this process was made by a fork. In the child of one what a thread was changing at
/// that moment is half-changed.
inline constinit std::atomic<std::uint32_t> fork_generation{0};
/// From before main on: a child that is forked while another thread enters a hook would wait for
/// that one for ever.
inline const bool counts_forks =
    (run_after_fork([] { fork_generation.fetch_add(1, std::memory_order_relaxed); }), true);

class queue_core {
public:
    static constexpr std::size_t control_bytes = shared_block::page_bytes;
    static constexpr std::uint64_t first_segment_bytes = 64 * 1024;
    static_assert(sizeof(queue_control) <= control_bytes);

    /// A new queue. `maxsize` 0 means that only memory bounds it, and how far counts go.
    explicit queue_core(std::uint32_t maxsize) : queue_core(new_block(), maxsize) {
        auto& shared = control();
        throw_if_error(robust_mutex::create(shared.producers), "create a queue's mutex");
        throw_if_error(robust_mutex::create(shared.consumers), "create a queue's mutex");
    }
    /// The queue that another process made in this block.
    queue_core(std::shared_ptr<shared_block> block, std::uint32_t maxsize)
        : block_(std::move(block)), view_(map_control(*block_)), maxsize_(maxsize),
          write_memory_(block_, control_bytes, first_segment_bytes),
          read_memory_(block_, control_bytes, first_segment_bytes),
          writer_(control().ring, write_memory_), reader_(control().ring, read_memory_),
          producers_(control().producers), consumers_(control().consumers),
          generation_(&fork_generation), writer_generation_(generation()),
          reader_generation_(generation()) {}

    const shared_block& block() const noexcept { return *block_; }
    std::uint32_t maxsize() const noexcept { return maxsize_; }

    /// Messages put and not yet taken.
    std::uint32_t size() const noexcept {
        auto& ring = control().ring;
        const std::uint32_t consumed = wait_word::count(ring.reader.count);
        return count_between(consumed, wait_word::count(ring.writer.count));
    }

    /// Puts a message of `bytes` bytes, which `write(place)` writes; false if there was no room in
    /// time.
    template <class Write>
    bool put(std::size_t bytes, wait_limit limit, Write write) {
        const producer_lock lock(producers_, limit,
                                 [&] { return maxsize_ != 0 && size() >= maxsize_; });
        if (!lock)
            return false;
        take_over_writer(lock.abandoned());
        std::byte* place = nullptr;
        while ((place = reserve(bytes)) == nullptr)
            if (!wait_for_room(limit))
                return false;
        reservation reserved(writer_);
        write(place);
        traffic_.note(bytes, reserved.publish());
        return true;
    }

    class front_message;
    /// Waits for the oldest message; there is none if none came in time.
    front_message front(wait_limit limit);

private:
    /// Holds a side's mutex, or not.
    class side_lock {
    public:
        side_lock(const side_lock&) = delete;
        side_lock& operator=(const side_lock&) = delete;
        explicit operator bool() const noexcept { return locked_; }
        /// The last holder died with it. The shared words need no repair (see queue_control), what
        /// this process remembers of them may.
        bool abandoned() const noexcept { return abandoned_; }

    protected:
        explicit side_lock(robust_mutex& mutex) : mutex_(&mutex) {
            if (!attempt(deadline::now()))
                spin_until([&] { return attempt(deadline::now()); }, short_look, 8);
        }
        ~side_lock() {
            if (locked_)
                mutex_->unlock();
        }
        bool attempt(const deadline& until) {
            if (const auto ec = mutex_->lock(until, locked_, abandoned_))
                throw_system_error(ec, "lock a queue");
            return locked_;
        }
        bool is_locked() const noexcept { return locked_; }

    private:
        robust_mutex* mutex_;
        bool locked_ = false;
        bool abandoned_ = false;
    };

    /// The time is for the wait for room, not for the mutex: whoever has it lets it go soon, unless
    /// he waits for room himself. So this gives up only where there is none, or after a second
    /// more, and a queue that has room is not called full because another puts something large.
    class producer_lock : public side_lock {
    public:
        template <class Full>
        producer_lock(robust_mutex& mutex, wait_limit& limit, Full full) : side_lock(mutex) {
            if (!is_locked())
                insist(limit, full);
        }

    private:
        template <class Full>
        void insist(wait_limit& limit, Full full) {
            if (!limit.immediate())
                attempt(limit.until());
            const auto enough = deadline::after(longest_put);
            while (!is_locked() && !full() && !enough.passed())
                attempt(deadline::after(another_look));
        }

        static constexpr std::chrono::milliseconds another_look{10};
        // One that takes longer to write was stopped, or waits in a user's `serialize`.
        static constexpr std::chrono::seconds longest_put{1};
    };

    /// Gives up when time has run out. One that asks without waiting does so when there is nothing
    /// to take, or after a while: whoever holds the mutex may be about to let it go.
    class consumer_lock : public side_lock {
    public:
        template <class Empty>
        consumer_lock(robust_mutex& mutex, wait_limit& limit, Empty empty) : side_lock(mutex) {
            if (!is_locked() && !limit.immediate())
                attempt(limit.until());
            if (!limit.immediate())
                return;
            for (int i = 0; i < most_attempts && !is_locked() && !empty(); ++i)
                if (!attempt(deadline::now()))
                    std::this_thread::yield();
        }

    private:
        static constexpr int most_attempts = 1000;
    };

    /// What was reserved: published, or else dropped.
    class reservation {
    public:
        explicit reservation(ring_writer& writer) noexcept : writer_(&writer) {}
        reservation(const reservation&) = delete;
        reservation& operator=(const reservation&) = delete;
        ~reservation() {
            if (writer_ != nullptr)
                writer_->drop();
        }
        /// Whether the consumer slept.
        bool publish() noexcept {
            writer_->commit();
            return std::exchange(writer_, nullptr)->publish();
        }

    private:
        ring_writer* writer_;
    };

    std::uint32_t generation() const noexcept {
        return generation_->load(std::memory_order_relaxed);
    }

    /// The dead may have left a large message that it had begun.
    void take_over_writer(bool abandoned) noexcept {
        if (abandoned || writer_generation_ != generation()) {
            writer_.resume();
            writer_generation_ = generation();
            if (abandoned)
                writer_.drop_unfinished();
        } else {
            writer_.sync();
        }
    }
    void take_over_reader(bool abandoned) noexcept {
        if (abandoned || reader_generation_ != generation()) {
            reader_.resume();
            reader_generation_ = generation();
        } else {
            reader_.sync();
        }
    }

    /// Null where there are as many messages as there may be, or the ring is as large as it may get
    /// and full. Before the ring grows it is given a moment in which a reader that is at work makes
    /// room: memory that is new costs more than to wait for some that both have in their caches.
    std::byte* reserve(std::size_t bytes) {
        if (!writer_.backlog_below(maxsize_ != 0 ? maxsize_ : most_messages))
            return nullptr;
        std::error_code ec;
        std::byte* place = writer_.reserve(bytes,
                                           traffic_.is_stream() ? ring_growth::for_stream
                                                                : ring_growth::for_large_messages,
                                           ec);
        if (place == nullptr && !ec) {
            constexpr int gap = 64;  // The reader is at work: each look holds it up.
            if (!spin_until([&] { return writer_.is_roomy(); }, short_look, gap))
                std::this_thread::yield();  // The reader may be waiting for this processor.
            place = writer_.reserve(bytes, ring_growth::whenever_full, ec);
        }
        if (ec && !may_wait(ec))
            throw_system_error(ec, "make room for " + std::to_string(bytes) +
                                       " bytes in a queue's memory");
        return place;
    }
    bool may_wait(std::error_code ec) const noexcept {
        return writer_.backlog() > 0 &&
               (ec == std::errc::file_too_large || ec == std::errc::no_buffer_space);
    }

    /// On the count that reserve() decided on: one read now could be newer, and never change again.
    bool wait_for_room(wait_limit& limit) {
        const std::uint32_t seen = writer_.seen();
        if (writer_.consumed() != seen || writer_.backlog() == 0)
            return true;
        if (limit.immediate())
            return false;
        if (producer_patience_.spin([&] { return writer_.consumed() != seen; },
                                    producer_gap_.at(seen)))
            return true;
        const patience::sleep now(producer_patience_);
        throw_if_error(writer_.wait(seen, limit.until()), "wait for room in a queue");
        return writer_.consumed() != seen || !limit.until().passed();
    }

    bool wait_for_message(wait_limit& limit, std::span<const std::byte>& message) {
        for (;;) {
            if (find(message))
                return true;
            if (limit.immediate())
                return false;
            if (consumer_patience_.spin([&] { return reader_.backlog() != 0; },
                                        consumer_gap_.at(reader_.taken())))
                continue;
            if (limit.until().passed())
                return false;
            const patience::sleep now(consumer_patience_);
            throw_if_error(reader_.wait(limit.until()), "wait for a message in a queue");
        }
    }
    bool find(std::span<const std::byte>& message) {
        std::error_code ec;
        const bool found = reader_.front(message, ec);
        if (ec)
            throw_system_error(ec, "read from a queue whose shared memory was damaged");
        return found;
    }

    /// After a large backlog has gone: gives its memory back, also if nothing is ever put again.
    /// Not where it is the messages that are large: the next one would only ask for the memory
    /// anew. It needs both sides; a producer that is at work gives memory back itself.
    void trim(std::size_t last_bytes) noexcept {
        untrimmed_ += last_bytes + record::header_bytes;
        if (untrimmed_ < reader_.capacity() / 16 || last_bytes > reader_.capacity() / 64 ||
            !reader_.empty())
            return;
        bool locked = false;
        bool abandoned = false;
        if (producers_.lock(deadline::now(), locked, abandoned) || !locked)
            return;
        take_over_writer(abandoned);
        if (writer_.backlog() == 0) {
            writer_.trim();
            untrimmed_ = 0;
        }
        producers_.unlock();
    }

    static std::shared_ptr<shared_block> new_block() {
        auto block = std::make_shared<shared_block>();
        throw_if_error(shared_block::create(*block, control_bytes + first_segment_bytes),
                       "create shared memory for a queue");
        return block;
    }
    static mapping map_control(const shared_block& block) {
        mapping view;
        throw_if_error(block.map(view, 0, control_bytes), "map the shared memory of a queue");
        return view;
    }
    /// The block is zero at first, which is a valid ring.
    queue_control& control() const noexcept {
        return *std::launder(reinterpret_cast<queue_control*>(view_.data()));
    }

    std::shared_ptr<shared_block> block_;
    mapping view_;
    std::uint32_t maxsize_;
    // A memory for each side: they are used by different threads at once.
    ring_memory write_memory_;
    ring_memory read_memory_;
    ring_writer writer_;
    ring_reader reader_;
    // Each is its side's, whose mutex guards it, and tells of this process only.
    traffic traffic_;
    patience producer_patience_;
    patience consumer_patience_;
    look_gap producer_gap_;
    look_gap consumer_gap_;
    robust_mutex producers_;
    robust_mutex consumers_;
    const std::atomic<std::uint32_t>* generation_;
    std::uint32_t writer_generation_;
    std::uint32_t reader_generation_;
    std::uint64_t untrimmed_ =
        0;  // What this process has taken since; the consumers' mutex guards it.

    static constexpr std::uint64_t trimmed_from_bytes = 16 << 20;
    static constexpr std::uint32_t most_messages = 0x7fffffffU - 1;
};

/// The oldest message of a queue, or none. It lies where it is while this lives, and no other
/// consumer can take one; the end of this takes it, also where reading it threw.
class queue_core::front_message {
public:
    front_message(queue_core& core, wait_limit limit)
        : core_(&core), lock_(core.consumers_, limit, [&] { return core.size() == 0; }) {
        if (!lock_)
            return;
        core.take_over_reader(lock_.abandoned());
        found_ = core.wait_for_message(limit, bytes_);
    }
    front_message(const front_message&) = delete;
    front_message& operator=(const front_message&) = delete;
    ~front_message() {
        if (!found_)
            return;
        core_->reader_.pop();
        core_->reader_.release();
        if (core_->reader_.capacity() >= trimmed_from_bytes)
            core_->trim(bytes_.size());
    }

    explicit operator bool() const noexcept { return found_; }
    std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
    queue_core* core_;
    consumer_lock lock_;
    bool found_ = false;
    std::span<const std::byte> bytes_;
};

inline queue_core::front_message queue_core::front(wait_limit limit) {
    return front_message(*this, limit);
}

}  // namespace multiprocessing::detail
