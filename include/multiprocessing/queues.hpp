// SPDX-License-Identifier: MIT
// Queue: values from any process to any process, first in, first out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/message_buffer.hpp>
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/queue_core.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>

namespace multiprocessing {

/// A queue of values between any number of processes: hand it to a child as an argument. A cheap
/// handle: copies mean the same queue. Python: `multiprocessing.Queue`.
///
/// Any thread of any process that has it may call any member at any time. Values of one producer
/// arrive in the order it put them. A value is written into shared memory by `put` itself, by
/// nobody else and no later: what was put is there also if the producer dies right afterwards,
/// `put` throws what writing the value throws, and nothing has to be flushed at the end. A process
/// that is killed inside `put` or `get` loses what it was putting or had taken, and the queue goes
/// on for all others; a value of more than 64 KiB whose reader is killed over it comes to another.
/// The memory that a backlog, a large value or a stream of values (2 MiB) has needed goes back as
/// smaller ones pass after it, but for 2 MiB.
/// Memory is found when it is written: where the system has none left it ends the process that
/// puts.
template <class T>
class Queue {
public:
    /// At most `maxsize` values wait in it; 0 and less: as many as memory holds. Throws
    /// `ValueError` beyond 2^30, `std::system_error` where the memory cannot be had.
    explicit Queue(long long maxsize = 0) : Queue(std::make_shared<shared>(checked(maxsize))) {
        detail::assert_sendable<T>();
    }

    /// Puts a value. Waits while the queue is full, if it may `block`, for as long as `limit` says;
    /// throws `Full` then. One that has room is called full only where another process is kept in
    /// the middle of a `put` for a second longer: stopped, say. Throws `ValueError` after
    /// `close()`.
    void put(const T& value, bool block = true, const timeout& limit = {}) {
        const std::size_t bytes = detail::encoded_size(value);
        const bool done = open().put(bytes, {block, limit},
                                     [&](std::byte* place) { detail::encode_to(place, value); });
        if (!done)
            throw Full();
    }
    /// Puts a value if there is room now, or throws `Full`.
    void put_nowait(const T& value) { put(value, false); }

    /// Takes the oldest value. Waits while there is none, if it may `block`, for as long as `limit`
    /// says; throws `Empty` then. Throws `ValueError` after `close()`; what reading the value
    /// throws, which is then gone.
    T get(bool block = true, const timeout& limit = {}) {
        detail::message_buffer copy;
        {
            const auto front = open().front({block, limit});
            if (!front)
                throw Empty();
            const std::span<const std::byte> bytes = front.bytes();
            // Reading may run user's code: not with the queue's lock held, unless a copy would cost
            // more.
            if (detail::is_bulk<T> || bytes.size() > most_copied_bytes)
                return detail::decode<T>(bytes);
            std::memcpy(copy.resize(bytes.size()), bytes.data(), bytes.size());
        }
        return detail::decode<T>(copy.bytes());
    }
    /// Takes a value if there is one now, or throws `Empty`.
    T get_nowait() { return get(false); }

    /// How many values wait in it; another process may change that at any time, as with the next
    /// two.
    std::size_t qsize() const noexcept { return state_->core.size(); }
    bool empty() const noexcept { return qsize() == 0; }
    bool full() const noexcept {
        const std::uint32_t most = state_->core.maxsize();
        return most != 0 && qsize() >= most;
    }

    /// This process will put and get no more; others are not concerned. May be repeated.
    void close() noexcept { state_->closed.store(true, std::memory_order_relaxed); }
    /// Throws `ValueError` before `close()`, as Python asserts. There is nothing to wait for.
    void join_thread() const {
        if (!state_->closed.load(std::memory_order_relaxed))
            throw ValueError("join_thread: the queue is not closed");
    }
    /// Does nothing: no value waits in this process. It is there for Python's sake.
    void cancel_join_thread() const noexcept {}

private:
    friend struct detail::codec<Queue<T>>;

    // Up to here a copy, made to let go of the lock, costs less than what waits for the lock.
    static constexpr std::size_t most_copied_bytes = 64 * 1024;

    struct shared {
        explicit shared(std::uint32_t maxsize) : core(maxsize) {}
        shared(std::shared_ptr<detail::shared_block> block, std::uint32_t maxsize)
            : core(std::move(block), maxsize) {}
        detail::queue_core core;
        std::atomic<bool> closed{false};  // Relaxed: a note to this process' own threads.
    };

    explicit Queue(std::shared_ptr<shared> state) noexcept : state_(std::move(state)) {}

    static std::uint32_t checked(long long maxsize) {
        constexpr long long most = 1 << 30;
        if (maxsize > most)
            throw ValueError("a queue's maxsize of " + std::to_string(maxsize) + " is beyond " +
                             std::to_string(most));
        return maxsize < 0 ? 0 : static_cast<std::uint32_t>(maxsize);
    }

    detail::queue_core& open() const {
        if (state_->closed.load(std::memory_order_relaxed))
            throw ValueError("the queue is closed");
        return state_->core;
    }

    std::shared_ptr<shared> state_;
};

namespace detail {

/// A queue handed to a child that is being started.
template <class T>
struct codec<Queue<T>> {
    static constexpr std::size_t min_bytes = 2 * sizeof(std::uint32_t);

    static void size(sizer& sizes, const Queue<T>&) { sizes.add(min_bytes); }
    static void write(writer& out, const Queue<T>& queue) {
        const queue_core& core = queue.state_->core;
        out.put_value(handle_outbox::put(core.block().native(), "queue"));
        out.put_value(core.maxsize());
    }
    static Queue<T> read(decoder& in) {
        using shared = typename Queue<T>::shared;
        auto block =
            std::make_shared<shared_block>(handle_inbox::take(in.take_value<std::uint32_t>()));
        return Queue<T>(std::make_shared<shared>(std::move(block), in.take_value<std::uint32_t>()));
    }
};

}  // namespace detail
}  // namespace multiprocessing
