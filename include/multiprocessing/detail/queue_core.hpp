// SPDX-License-Identifier: MIT
// A queue of messages between any processes: a ring in shared memory between two robust mutexes.
#pragma once

#include <atomic>
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
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/os/robust_mutex.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/ring_memory.hpp>
#include <multiprocessing/detail/spin.hpp>
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

class queue_core {
public:
    static constexpr std::size_t control_bytes = shared_block::page_bytes;
    static constexpr std::uint64_t first_segment_bytes = 64 * 1024;
    static_assert(sizeof(queue_control) <= control_bytes);

    /// A new queue. `maxsize` 0 means that only memory bounds it.
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
          producers_(control().producers), consumers_(control().consumers) {}

    const shared_block& block() const noexcept { return *block_; }
    std::uint32_t maxsize() const noexcept { return maxsize_; }

    /// Messages put and not yet taken.
    std::uint32_t size() const noexcept {
        auto& ring = control().ring;
        const std::uint32_t consumed = wait_word(ring.reader.count).count();
        return count_between(consumed, wait_word(ring.writer.count).count());
    }

    /// Puts a message of `bytes` bytes, which `write(place)` writes; false if there was no room in time.
    template <class Write>
    bool put(std::size_t bytes, const deadline& until, Write write) {
        const side_lock lock(producers_, until, [&] { return maxsize_ != 0 && size() >= maxsize_; });
        if (!lock)
            return false;
        writer_.sync();
        for (;;) {
            if (maxsize_ == 0 || writer_.backlog() < maxsize_) {
                if (std::byte* const place = reserve(bytes)) {
                    write(place);
                    writer_.commit();
                    writer_.publish();
                    return true;
                }
            }
            if (!wait_for_room(until))
                return false;
        }
    }

    /// Takes a message, which `read(bytes)` gets to see; false if there was none in time. A message is
    /// taken also where `read` throws.
    template <class Read>
    bool take(const deadline& until, Read read) {
        const side_lock lock(consumers_, until, [&] { return size() == 0; });
        if (!lock)
            return false;
        reader_.sync();
        std::span<const std::byte> message;
        if (!wait_for_message(until, message))
            return false;
        const consumption taken(reader_);
        read(message);
        return true;
    }

private:
    /// Holds a side's mutex, or not: then time ran out first. One that asks without waiting gives up
    /// only when `hopeless` says so: whoever holds the mutex may be about to let it go.
    class side_lock {
    public:
        template <class Hopeless>
        side_lock(robust_mutex& mutex, const deadline& until, Hopeless hopeless) : mutex_(&mutex) {
            bool abandoned = false;  // Nothing to repair: see queue_control.
            for (int attempt = 0; attempt < most_attempts; ++attempt) {
                throw_if_error(mutex.lock(until, locked_, abandoned), "lock a queue");
                if (locked_ || !until.immediate() || hopeless())
                    return;
                std::this_thread::yield();
            }
        }
        side_lock(const side_lock&) = delete;
        side_lock& operator=(const side_lock&) = delete;
        ~side_lock() {
            if (locked_)
                mutex_->unlock();
        }
        explicit operator bool() const noexcept { return locked_; }

    private:
        static constexpr int most_attempts = 1000;
        robust_mutex* mutex_;
        bool locked_ = false;
    };

    /// Consumes the front of the ring when it ends.
    class consumption {
    public:
        explicit consumption(ring_reader& reader) noexcept : reader_(&reader) {}
        consumption(const consumption&) = delete;
        consumption& operator=(const consumption&) = delete;
        ~consumption() {
            reader_->pop();
            reader_->release();
        }

    private:
        ring_reader* reader_;
    };

    /// Null where the ring is as large as it may get, and full.
    std::byte* reserve(std::size_t bytes) {
        std::error_code ec;
        std::byte* const place = writer_.reserve(bytes, ring_growth::whenever_full, ec);
        const bool may_wait = ec == std::errc::file_too_large || ec == std::errc::no_buffer_space;
        if (ec && !(may_wait && writer_.backlog() > 0))
            throw_system_error(ec, "make room for " + std::to_string(bytes) +
                                       " bytes in a queue's memory");
        return place;
    }

    bool wait_for_room(const deadline& until) {
        const std::uint32_t seen = writer_.consumed();
        if (until.passed())
            return false;
        if (writer_.backlog() == 0)
            return true;
        if (!spin_until([&] { return writer_.consumed() != seen; }))
            throw_if_error(writer_.wait(seen, until), "wait for room in a queue");
        return writer_.consumed() != seen || !until.passed();
    }

    bool wait_for_message(const deadline& until, std::span<const std::byte>& message) {
        std::error_code ec;
        for (;;) {
            const bool found =
                reader_.front(message, ec) ||
                (!ec && !until.immediate() && spin_until([&] { return reader_.backlog() != 0; }) &&
                 reader_.front(message, ec));
            throw_if_error(ec, "read from a queue whose shared memory was damaged");
            if (found)
                return true;
            if (until.passed())
                return false;
            throw_if_error(reader_.wait(until), "wait for a message in a queue");
        }
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
    robust_mutex producers_;
    robust_mutex consumers_;
};

}  // namespace multiprocessing::detail
