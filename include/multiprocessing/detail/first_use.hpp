// SPDX-License-Identifier: MIT
// What a process has only once, made when it is first asked for.
#pragma once

#include <atomic>
#include <memory>

namespace multiprocessing::detail {

/// A value that is made at its first use and never destroyed: used until the end. For a `static` in
/// place of the value itself, which a thread makes with a mark on it that others wait at: a child
/// that is forked meanwhile has the mark and not the thread, and would wait for ever. Here several
/// threads may each make one, of which the first is kept: nothing else may come of making it.
/// Thread-safe; `make` is called without a lock, and may throw: then it is for the next one to make.
template <class T>
class first_use {
public:
    constexpr first_use() noexcept = default;
    first_use(const first_use&) = delete;
    first_use& operator=(const first_use&) = delete;

    template <class Make>
    T& get(Make make) {
        // Acquire pairs with the release below: who sees it sees it whole.
        T* kept = kept_.load(std::memory_order_acquire);
        if (kept != nullptr)
            return *kept;
        std::unique_ptr<T> made(new T(make()));
        if (kept_.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel))
            kept = made.release();
        return *kept;
    }

    /// Null before the first use.
    T* peek() const noexcept { return kept_.load(std::memory_order_acquire); }

private:
    std::atomic<T*> kept_{nullptr};
};

}  // namespace multiprocessing::detail
