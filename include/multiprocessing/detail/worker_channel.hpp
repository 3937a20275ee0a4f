// SPDX-License-Identifier: MIT
// What a pool and one worker share: a ring of tasks, a ring of replies, and who has taken which
// task.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/os/doorbell.hpp>
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/ring_memory.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>

namespace multiprocessing::detail {

// No two workers share anything that one of them writes, but the doorbell, which only rings. So a
// worker that is killed, at whatever instruction, can damage nothing but its own rings, which
// nobody uses after it but the pool, to read what it had published.
struct worker_control {
    ring_control tasks;
    ring_control replies;
    /// How many of its tasks are taken, by the worker to run them or by the pool to give them to
    /// another. Both move it by compare-and-swap (acquire and release), so each task has one taker.
    alignas(128) std::atomic<std::uint32_t> taken;
    /// When the last task of limited time was begun, by the monotonic clock. Visible with `taken`.
    std::atomic<std::chrono::steady_clock::rep> began;
    /// How far the pool has moved `taken`, ever: set before it does so, so that a worker which finds
    /// that moved sees this, too. Written by the pool alone.
    alignas(128) std::atomic<std::uint32_t> given_back;
    /// Set by the pool before it sleeps: replies then ring. Partner: the fence in
    /// worker_loop::ring_if_wanted.
    std::atomic<std::uint32_t> ring_wanted;
};

/// The memory of one worker. The rings' blocks are apart because each may grow.
class worker_channel {
public:
    static constexpr std::size_t control_bytes = shared_block::page_bytes;
    static constexpr std::uint64_t first_segment_bytes = 64 * 1024;
    static_assert(sizeof(worker_control) <= control_bytes);

    /// The pool's side: no copy of its process has it, so that no worker has its siblings'.
    worker_channel() : worker_channel(new_block(), new_block()) {
        view_.withhold();
        tasks_.withhold();
        replies_.withhold();
    }
    worker_channel(std::shared_ptr<shared_block> tasks, std::shared_ptr<shared_block> replies)
        : tasks_block_(std::move(tasks)), replies_block_(std::move(replies)),
          view_(map_control(*tasks_block_)),
          tasks_(tasks_block_, control_bytes, first_segment_bytes),
          replies_(replies_block_, control_bytes, first_segment_bytes) {}

    worker_control& control() const noexcept {
        return *std::launder(reinterpret_cast<worker_control*>(view_.data()));
    }
    ring_memory& tasks() noexcept { return tasks_; }
    ring_memory& replies() noexcept { return replies_; }
    const std::shared_ptr<shared_block>& tasks_block() const noexcept { return tasks_block_; }
    const std::shared_ptr<shared_block>& replies_block() const noexcept { return replies_block_; }

private:
    static std::shared_ptr<shared_block> new_block() {
        auto block = std::make_shared<shared_block>();
        throw_if_error(shared_block::create(*block, control_bytes + first_segment_bytes),
                       "create shared memory for a pool's worker");
        return block;
    }
    static mapping map_control(const shared_block& block) {
        mapping view;
        throw_if_error(block.map(view, 0, control_bytes), "map the memory of a pool's worker");
        return view;
    }

    std::shared_ptr<shared_block> tasks_block_;
    std::shared_ptr<shared_block> replies_block_;
    mapping view_;
    ring_memory tasks_;
    ring_memory replies_;
};

/// What a worker process is given.
struct worker_ports {
    std::shared_ptr<shared_block> tasks;
    std::shared_ptr<shared_block> replies;
    std::shared_ptr<doorbell> bell;
    /// What is to be its standard error; null for the pool's.
    std::shared_ptr<handle> errors{};
};

template <>
struct codec<worker_ports> {
    static constexpr std::size_t min_bytes = 4 * sizeof(std::uint32_t);
    static constexpr std::uint32_t none = 0xffffffff;

    static void size(sizer& sizes, const worker_ports&) { sizes.add(min_bytes); }
    static void write(writer& out, const worker_ports& ports) {
        for (const native_handle object :
             {ports.tasks->native(), ports.replies->native(), ports.bell->native()})
            out.put_value(handle_outbox::put(object, "pool's worker"));
        out.put_value(ports.errors ? handle_outbox::put(ports.errors->get(), "pool's worker")
                                   : none);
    }
    static worker_ports read(decoder& in) {
        auto tasks = std::make_shared<shared_block>(take(in));
        auto replies = std::make_shared<shared_block>(take(in));
        auto bell = std::make_shared<doorbell>(take(in));
        std::shared_ptr<handle> errors;
        if (const auto place = in.take_value<std::uint32_t>(); place != none)
            errors = std::make_shared<handle>(handle_inbox::take(place));
        return {std::move(tasks), std::move(replies), std::move(bell), std::move(errors)};
    }

private:
    static handle take(decoder& in) { return handle_inbox::take(in.take_value<std::uint32_t>()); }
};

}  // namespace multiprocessing::detail
