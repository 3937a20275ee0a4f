// SPDX-License-Identifier: MIT
// The least that a queue between two processes can be: slots in shared memory, one producer, one
// consumer, no lock, no sleep, no protection from a death. What it carries a second is the limit.
#pragma once

#include "raw.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include <sched.h>

namespace bench {

class raw_ring {
public:
    /// `slots` messages of up to `bytes` bytes; `slots` is a power of two.
    raw_ring(std::size_t slots, std::size_t bytes)
        : slots_(slots), bytes_(bytes),
          memory_(std::make_shared<shared_memory>(sizeof(control) + slots * bytes)),
          control_(new (memory_->data()) control),
          data_(static_cast<std::byte*>(memory_->data()) + sizeof(control)) {}

    void put(const void* message) {
        const std::uint64_t tail = control_->tail.load(std::memory_order_relaxed);
        // Looks at the other side's line only when what was seen of it does not tell.
        while (tail - seen_head_ == slots_) {
            relax();
            seen_head_ = control_->head.load(std::memory_order_acquire);
        }
        std::memcpy(slot(tail), message, bytes_);
        control_->tail.store(tail + 1, std::memory_order_release);
    }

    void get(void* message) {
        const std::uint64_t head = control_->head.load(std::memory_order_relaxed);
        while (head == seen_tail_) {
            relax();
            seen_tail_ = control_->tail.load(std::memory_order_acquire);
        }
        std::memcpy(message, slot(head), bytes_);
        control_->head.store(head + 1, std::memory_order_release);
    }

private:
    struct control {
        alignas(128) std::atomic<std::uint64_t> head{0};
        alignas(128) std::atomic<std::uint64_t> tail{0};
    };

    /// Lets the other side run where both share a processor.
    void relax() {
        if (++turns_ % 1024 == 0)
            ::sched_yield();
    }
    std::byte* slot(std::uint64_t place) const { return data_ + (place & (slots_ - 1)) * bytes_; }

    std::size_t slots_;
    std::size_t bytes_;
    std::shared_ptr<shared_memory> memory_;
    control* control_;
    std::byte* data_;
    std::uint64_t seen_head_ = 0;
    std::uint64_t seen_tail_ = 0;
    unsigned turns_ = 0;
};

}  // namespace bench
