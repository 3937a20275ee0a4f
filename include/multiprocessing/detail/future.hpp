// SPDX-License-Identifier: MIT
// Future: a result of an executor that comes later, and may be given up.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::futures {

/// A result that comes later, or never if it is cancelled. A cheap handle; any thread may call any
/// member at any time. In a process other than the executor's, members that would wait or ask throw
/// `ProcessError` where the result is not there. Python: `concurrent.futures.Future`.
template <class R>
class Future {
public:
    Future(std::shared_ptr<detail::dispatcher> pool,
           std::shared_ptr<detail::result_job<R>> work) noexcept
        : pool_(std::move(pool)), work_(std::move(work)) {}

    /// The result, once it is there; throws what the function threw, `WorkerLostError` where its
    /// worker died, `CancelledError` where it was cancelled, `TimeoutError` if `limit` passes
    /// first. May be called again: each call returns a copy, but for what cannot be copied, which
    /// is given away by the first.
    R result(const timeout& limit = {}) const {
        require(limit);
        return work_->get();
    }
    /// The error, null where there is none; waits and throws as `result` does, also where it was
    /// cancelled.
    std::exception_ptr exception(const timeout& limit = {}) const {
        require(limit);
        if (cancelled())
            throw CancelledError();
        return work_->error();
    }
    /// Waits until it is done or `limit` passes; returns whether it is. Not in Python.
    bool wait(const timeout& limit = {}) const {
        return done() || here().wait(*work_, detail::deadline::after(limit));
    }

    /// Whether it has a result or an error or was cancelled.
    bool done() const noexcept { return work_->done(); }
    /// Whether a worker is at it.
    bool running() const { return !done() && here().is_running(*work_); }
    bool cancelled() const {
        if (!done() || !work_->error())
            return false;
        try {
            std::rethrow_exception(work_->error());
        } catch (const CancelledError&) {
            return true;
        } catch (...) {
            return false;
        }
    }
    /// Gives it up if no worker has begun it; returns whether it was given up. Python's executor
    /// cannot give up what is next in turn; this one can.
    bool cancel() const { return cancelled() || (!done() && here().cancel(*work_, false)); }
    /// Gives it up also where it runs: its worker is ended with all that the work has started,
    /// which costs no other work. False if it is done. Not in Python.
    bool terminate() const { return cancelled() || (!done() && here().cancel(*work_, true)); }

    /// Has `function` called with this future when it is done: by a thread of the executor, in the
    /// order of adding, or at once by this thread if it is done already. What it throws is told on
    /// standard error. Throws `ValueError` where there is no function.
    void add_done_callback(detail::function<void(const Future&)> function) const {
        if (!function)
            throw ValueError("a callback must be a function");
        const Future self = *this;
        const auto call = [self, follow = std::move(function)] { follow(self); };
        if (done() || here().follow(*work_, call) == 0)
            detail::call_follower(call);
    }

    /// Whether both mean the same work.
    friend bool operator==(const Future& a, const Future& b) noexcept { return a.work_ == b.work_; }
    friend bool operator<(const Future& a, const Future& b) noexcept {
        return a.work_.owner_before(b.work_);
    }

private:
    friend struct std::hash<Future>;
    template <class T>
    friend class future_watch;

    void require(const timeout& limit) const {
        if (!wait(limit))
            throw TimeoutError("the result is not there yet");
    }
    detail::dispatcher& here() const {
        if (!pool_->is_owned())
            throw ProcessError("a result comes to the process only that made the executor");
        return *pool_;
    }

    std::shared_ptr<detail::dispatcher> pool_;
    std::shared_ptr<detail::result_job<R>> work_;
};

/// Hears of several futures as they are done.
template <class R>
class future_watch {
public:
    explicit future_watch(std::vector<Future<R>> futures) : futures_(std::move(futures)) {
        numbers_.reserve(futures_.size());
        for (std::size_t i = 0; i < futures_.size(); ++i) {
            const auto tell = [heard = heard_, i] { heard->add(i); };
            const bool done = futures_[i].done();
            numbers_.push_back(done ? 0 : futures_[i].here().follow(*futures_[i].work_, tell));
            if (numbers_.back() == 0)
                heard_->add(i);
        }
    }
    future_watch(const future_watch&) = delete;
    future_watch& operator=(const future_watch&) = delete;
    ~future_watch() {
        for (std::size_t i = 0; i < futures_.size(); ++i)
            if (numbers_[i] != 0 && !futures_[i].done())
                forget(futures_[i], numbers_[i]);
    }

    /// The next one that is done, in the order of their ends, which is not kept here any longer;
    /// empty when time is up.
    std::optional<Future<R>> next(const detail::deadline& until) {
        std::size_t place = 0;
        if (!heard_->take(place, until))
            return std::nullopt;
        numbers_[place] = 0;
        return std::move(futures_[place]);
    }

private:
    class list {
    public:
        void add(std::size_t place) {
            const std::lock_guard lock(mutex_);
            places_.push_back(place);
            added_.notify_one();
        }
        bool take(std::size_t& place, const detail::deadline& until) {
            std::unique_lock lock(mutex_);
            const auto there = [&] { return !places_.empty(); };
            if (until.is_never())
                added_.wait(lock, there);
            else if (!added_.wait_until(lock, until.moment(), there))
                return false;
            place = places_.front();
            places_.pop_front();
            return true;
        }

    private:
        std::mutex mutex_;
        std::condition_variable added_;
        std::deque<std::size_t> places_;
    };

    /// In a copy of the process the pool's lock may be held by a thread that is not there.
    static void forget(const Future<R>& future, std::size_t number) noexcept {
        if (!future.pool_->is_owned())
            return;
        try {
            future.pool_->unfollow(*future.work_, number);
        } catch (const ProcessError&) {  // From within the pool: it tells a list that nobody reads.
        }
    }

    std::vector<Future<R>> futures_;
    std::vector<std::size_t> numbers_;
    std::shared_ptr<list> heard_ = std::make_shared<list>();
};

}  // namespace multiprocessing::futures

/// So that a future may be the key of an unordered map. Equal ones mean the same work.
template <class R>
struct std::hash<multiprocessing::futures::Future<R>> {
    std::size_t operator()(const multiprocessing::futures::Future<R>& future) const noexcept {
        return std::hash<const void*>()(future.work_.get());
    }
};
