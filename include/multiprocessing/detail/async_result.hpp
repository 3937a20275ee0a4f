// SPDX-License-Identifier: MIT
// AsyncResult: a result of a pool that comes later.
#pragma once

#include <memory>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing {

/// A result that comes later. A cheap handle; any thread may call any member at any time.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
public:
    AsyncResult(std::shared_ptr<detail::workplace> from,
                std::shared_ptr<detail::result_source<R>> result) noexcept
        : from_(std::move(from)), result_(std::move(result)) {}

    /// The result, once it is there; throws what the task threw, `WorkerLostError` where its worker
    /// died, `TimeoutError` if `limit` passes first. May be called again: each call returns a copy,
    /// but for what cannot be copied, which is given away by the first.
    R get(const timeout& limit = {}) const {
        if (!wait(limit))
            throw TimeoutError("the result is not there yet");
        return result_->get();
    }
    /// Waits until the result is there or `limit` passes; returns whether it is. In a process other
    /// than the pool's it throws `ProcessError` where the result is not there: it never will be.
    bool wait(const timeout& limit = {}) const {
        if (ready())
            return true;
        if (!from_->is_owned())
            throw ProcessError("a result comes to the process only that made the pool");
        return from_->wait(*result_, detail::deadline::after(limit));
    }
    /// Whether it is there, as a value or as an error, and its callback has returned.
    bool ready() const noexcept { return result_->ready(); }
    /// Whether it is a value. Throws `ValueError` before it is there.
    bool successful() const {
        if (!ready())
            throw ValueError("the result is not there yet: it cannot be known to be a success");
        return !result_->failed();
    }

private:
    std::shared_ptr<detail::workplace> from_;
    std::shared_ptr<detail::result_source<R>> result_;
};

}  // namespace multiprocessing
