// SPDX-License-Identifier: MIT
// The life of a pool's worker: take a task, run it, reply.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/doorbell.hpp>
#include <multiprocessing/detail/os/streams.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/os/throw_stack.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/detail/remote_exception.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/worker_channel.hpp>
#include <multiprocessing/detail/worker_setup.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// The thunk of a task, looked up again only where it is another than the last one's.
class thunk_cache {
public:
    task_thunk find(const task_header& header) {
        if (thunk_ == nullptr || header.image != last_.image || header.offset != last_.offset) {
            const code_address found = thunk_at({header.image, header.offset});
            thunk_ = reinterpret_cast<task_thunk>(const_cast<void*>(found));
            last_ = header;
        }
        return thunk_;
    }

private:
    task_header last_;
    task_thunk thunk_ = nullptr;
};

class worker_loop {
public:
    worker_loop(worker_ports ports, const worker_setup& setup)
        : setup_(setup), channel_(std::move(ports.tasks), std::move(ports.replies)),
          bell_(std::move(ports.bell)), tasks_(channel_.control().tasks, channel_.tasks()),
          replies_(channel_.control().replies, channel_.replies()) {
        // Mapped now: a task may close descriptors that are not its own.
        std::byte* unused = nullptr;
        throw_if_error(channel_.tasks().open(0, unused), "map a worker's ring of tasks");
        throw_if_error(channel_.replies().open(0, unused), "map a worker's ring of replies");
    }

    /// Runs tasks until the pool asks it to end.
    void run() {
        if (!initialize())
            return;
        std::span<const std::byte> task;
        for (std::uint64_t served = 0; !has_had_enough(served);) {
            wait_for_task(task);
            note_beginning(task);
            const bool mine = take();
            if (mine && !serve(task))
                return;
            served += mine;
            tasks_.pop();
            if (tasks_.staged() >= most_staged || task.size() >= large_bytes)
                tasks_.release();
        }
    }

private:
    // The pool rarely needs the room: letting go of several tasks at once saves half of the cost.
    static constexpr std::uint32_t most_staged = 32;
    // But where a task is large the pool goes on to new memory if it does not get this back.
    static constexpr std::size_t large_bytes = 4096;

    /// Whether another worker is to go on.
    bool has_had_enough(std::uint64_t served) {
        if (setup_.most_tasks != 0 && served >= setup_.most_tasks)
            return true;
        return setup_.most_resident != 0 && served != 0 && is_too_large();
    }
    /// The question costs as much as some short tasks: it is asked now and then.
    bool is_too_large() {
        using clock = std::chrono::steady_clock;
        const auto now = clock::now();
        if (now < next_look_)
            return false;
        const bool too_large = resident_bytes() > setup_.most_resident;
        next_look_ = now + std::chrono::milliseconds(1);
        return too_large;
    }

    /// False where the pool has been told that it failed.
    bool initialize() {
        try {
            set_limits();
            if (setup_.initializer)
                watch_throws(setup_.initializer);
            end_copy_of_worker();
            return true;
        } catch (...) {
            reply_writer reply(replies_, false);
            reply_with_exception(reply, reply_kind::no_start);
        }
        publish_reply();
        return false;
    }

    void set_limits() const {
        if (setup_.processor)
            throw_if_error(run_on_processor(*setup_.processor), "pin a pool's worker");
        if (setup_.memory_limit != 0)
            throw_if_error(limit_memory(setup_.memory_limit), "limit a pool's worker's memory");
        if (setup_.cpu_seconds != 0)
            throw_if_error(limit_cpu_time(setup_.cpu_seconds), "limit a pool's worker's time");
    }

    void wait_for_task(std::span<const std::byte>& task) {
        std::error_code ec;
        while (!tasks_.front(task, ec)) {
            // Before the first one the processors have more to do: they start the others. How long
            // that takes tells nothing of later ones.
            const bool looks = !ec && index_ != 0;
            if (looks && patience_.spin([&] { return tasks_.backlog() != 0; }))
                continue;
            if (!ec && is_out_of_step())
                ec = std::make_error_code(std::errc::bad_message);
            throw_if_error(ec, "read a task from memory that was damaged");
            tasks_.release();
            // Nor is the tie to the parent there for a task that closes whatever it finds: asleep
            // this worker would stay for ever.
            throw_if_error(bell_->check(), "find a pool's doorbell; a task closed its descriptor");
            // Where a task has written over the pool's wish to be rung, it sleeps.
            if (replies_.backlog() != 0)
                throw_if_error(bell_->ring(), "ring a pool's doorbell");
            std::optional<patience::sleep> now;
            if (index_ != 0)
                now.emplace(patience_);
            throw_if_error(tasks_.wait(deadline::never()), "wait for a task");
        }
    }

    /// Before a sleep: whether what this worker and the pool know of each other was damaged, so that
    /// one would wait for the other for ever. The count is read first: where no more has come since
    /// then, the pool has moved it no further.
    bool is_out_of_step() noexcept {
        const std::uint32_t taken = channel_.control().taken.load(std::memory_order_acquire);
        if (tasks_.backlog() != 0)
            return false;
        return taken != index_ || !tasks_.is_in_step() || !replies_.is_in_step();
    }

    /// Before it is taken: the pool reads it when it sees that it was. The clock is the same in all
    /// processes.
    void note_beginning(std::span<const std::byte> task) noexcept {
        task_header header;
        if (task.size() < sizeof header)
            return;
        std::memcpy(&header, task.data(), sizeof header);
        if ((header.offset & task_header::timed) != 0)
            channel_.control().began.store(
                std::chrono::steady_clock::now().time_since_epoch().count(),
                std::memory_order_relaxed);
    }

    /// Whether the front of the ring is this worker's to run; the pool may have taken it back.
    bool take() {
        std::uint32_t expected = index_++;
        if (passed_over_ != 0) {
            --passed_over_;
            return false;
        }
        auto& taken = channel_.control().taken;
        if (taken.compare_exchange_strong(expected, expected + 1, std::memory_order_acq_rel))
            return true;
        // Now `expected` is where the pool moved it: this task and those up to there are not ours.
        passed_over_ = expected - index_;
        // Beyond what was given no pool moves it, nor to where it says that it never has: this
        // worker would pass over what is its own, the request to end among it.
        const auto moved = channel_.control().given_back.load(std::memory_order_relaxed);
        if (passed_over_ >= tasks_.backlog() || static_cast<std::int32_t>(moved - expected) < 0)
            throw_system_error(std::make_error_code(std::errc::bad_message),
                               "read whose a task is from memory that was damaged");
        return false;
    }

    /// Runs one task and publishes its reply; false if it is the request to end.
    bool serve(std::span<const std::byte> task) {
        decoder arguments(task);
        auto header = arguments.take_value<task_header>();
        header.offset &= ~task_header::timed;
        if (header.image == 0 && header.offset == 0)
            return false;
        reply_writer reply(replies_, setup_.measured);
        try {
            watch_throws([&] { cache_.find(header)(arguments, reply); });
        } catch (...) {
            reply_with_exception(reply, reply_kind::exception);
        }
        reply.end();
        publish_reply();
        return true;
    }

    static void reply_with_exception(reply_writer& reply, reply_kind kind) {
        const exception_record record = record_current_exception();
        encode_to(reply.reserve(kind, encoded_size(record)), record);
    }
    void publish_reply() {
        replies_.commit();
        replies_.publish();
        ring_if_wanted();
    }

    /// Pairs with the fence in the dispatcher, between its wish and its last look at the rings:
    /// either it sees the reply, or this sees the wish. A bell that is gone, because a task closed
    /// what it was not given, leaves the pool deaf to this worker: it ends, which the pool hears.
    void ring_if_wanted() {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (channel_.control().ring_wanted.load(std::memory_order_relaxed) != 0)
            throw_if_error(bell_->ring(), "ring a pool's doorbell; a task closed its descriptor");
    }

    const worker_setup& setup_;
    worker_channel channel_;
    std::shared_ptr<doorbell> bell_;
    ring_reader tasks_;
    ring_writer replies_;
    thunk_cache cache_;
    patience patience_;
    std::chrono::steady_clock::time_point next_look_{};
    std::uint32_t index_ = 0;
    std::uint32_t passed_over_ = 0;
};

/// A worker is a daemon to its parent, which ends it; it may have children all the same: they are
/// tied to it, and end when it does.
inline void worker_main(const worker_ports& ports, const worker_setup& setup) {
    if (ports.errors) {
        redirect_standard_error(ports.errors->get());
        ports.errors->reset();
    }
    lead_group();
    role_in_pool = pool_role::worker;  // Also one that a task of another pool has forked.
    process_table::instance().change_identity([](process_identity& self) { self.daemon = false; });
    worker_loop(ports, setup).run();
}

}  // namespace multiprocessing::detail
