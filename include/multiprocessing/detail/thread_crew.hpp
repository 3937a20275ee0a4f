// SPDX-License-Identifier: MIT
// Threads of this process that run tasks, under the rules of a pool of processes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// Something for a thread to do. One of the two is called, once.
class local_task {
public:
    virtual ~local_task() = default;
    virtual void run() noexcept = 0;
    virtual void fail(std::exception_ptr error) noexcept = 0;
};

// One lock for all: tasks for threads are worth more than it costs. A thread of its own calls the
// callbacks, so that one that waits for other tasks of a small pool does not wait for itself. What
// is the user's is destroyed without the lock: a destructor may use the pool.
class thread_crew final : public workplace {
public:
    /// Each thread keeps it as well, so that one may end after the pool. A copy of the process has
    /// no such threads, and its lock and conditions may be in use by some: there it is left alone.
    static std::shared_ptr<thread_crew> start(std::size_t count, function<void()> initializer) {
        std::shared_ptr<thread_crew> crew(new thread_crew(count, std::move(initializer)),
                                          [](thread_crew* last) {
                                              if (last->is_owned())
                                                  delete last;
                                          });
        try {
            for (std::size_t i = 0; i <= count; ++i)
                crew->threads_.emplace_back([crew, works = i < count] { crew->live(works); });
        } catch (const std::system_error& error) {
            crew->end();
            throw_system_error(error.code(), "start a thread of a pool");
        } catch (...) {
            crew->end();
            throw_again();
        }
        return crew;
    }
    thread_crew(const thread_crew&) = delete;
    thread_crew& operator=(const thread_crew&) = delete;
    ~thread_crew() override = default;

    /// Before anything is asked of it.
    void require_owned() const {
        if (!is_owned())
            throw ProcessError("a pool can be used by the process that made it only");
    }
    /// Before tasks are posted.
    void require_open() {
        const std::lock_guard lock(mutex_);
        if (!open_)
            throw ValueError("the pool is not running: it was closed or terminated");
    }
    /// Tasks that are posted after close() belong to a stream from before; after join() and
    /// terminate() they fail.
    void post(std::shared_ptr<local_task> task) {
        std::unique_lock lock(mutex_);
        if (!refusal_) {
            tasks_.push_back(std::move(task));
            posted_.notify_one();
            return;
        }
        const std::exception_ptr error = refusal_;
        lock.unlock();
        task->fail(error);
    }
    /// Runs `callback` in the thread for that.
    void post_callback(function<void()> callback) {
        {
            const std::lock_guard lock(mutex_);
            if (!ending_) {
                callbacks_.push_back(std::move(callback));
                called_.notify_one();
                return;
            }
        }
        callback();
    }

    /// Changes what others wait for, and wakes them.
    template <class Change>
    void settle(Change change) {
        {
            const std::lock_guard lock(mutex_);
            change();
        }
        settled_.notify_all();
    }
    /// Waits until `condition`, which is asked with the lock held, or the time has passed.
    template <class Condition>
    bool await(Condition condition, const deadline& until) {
        std::unique_lock lock(mutex_);
        if (!until.is_never())
            return settled_.wait_until(lock, until.moment(), condition);
        settled_.wait(lock, condition);
        return true;
    }
    bool wait(const awaited& work, const deadline& until) override {
        return await([&] { return work.ready(); }, until);
    }
    bool is_owned() const noexcept override { return owner_ == process_id(); }

    void close() noexcept {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }
    /// What no thread has begun fails; what one has goes on.
    void terminate() { refuse(std::make_exception_ptr(ProcessError("the pool was terminated"))); }
    /// Waits until all is done and the threads have ended, also where another thread does so.
    void join() {
        {
            std::unique_lock lock(mutex_);
            if (is_inside())
                throw ProcessError("a task or a callback cannot join its own pool: it would wait "
                                   "for itself");
            if (open_)
                throw ValueError("the pool is still running: call close() or terminate() first");
            settled_.wait(lock, [&] { return (tasks_.empty() && busy_ == 0) || refusal_; });
        }
        refuse(std::make_exception_ptr(ProcessError("the pool has ended")));
        end_threads();
    }
    /// Terminates and waits. A thread of its own that calls this is not waited for: it ends when
    /// it has returned from the task or the callback that it is at.
    void end() {
        terminate();
        end_threads();
    }

private:
    thread_crew(std::size_t count, function<void()> initializer)
        : initializer_(std::move(initializer)), running_(count) {
        threads_.reserve(count + 1);
        inside_.reserve(count + 1);
    }

    void live(bool works) noexcept {
        const auto self = std::this_thread::get_id();
        {
            const std::lock_guard lock(mutex_);
            inside_.push_back(self);
        }
        works ? work() : call_back();
        // The system may give the number of a thread that has ended to another.
        const std::lock_guard lock(mutex_);
        detail::erase_if(inside_, [&](const auto& one) { return one == self; });
    }
    /// With the lock held: whether the caller is one of the threads.
    bool is_inside() const noexcept {
        const auto self = std::this_thread::get_id();
        return detail::find(inside_.begin(), inside_.end(), self) != inside_.end();
    }

    void work() noexcept {
        if (!initialize())
            return;
        std::unique_lock lock(mutex_);
        for (;;) {
            posted_.wait(lock, [&] { return !tasks_.empty() || refusal_; });
            if (tasks_.empty())
                return;
            std::shared_ptr<local_task> task = std::move(tasks_.front());
            tasks_.pop_front();
            ++busy_;
            lock.unlock();
            task->run();
            task.reset();
            lock.lock();
            if (--busy_ == 0 && tasks_.empty())
                settled_.notify_all();
        }
    }

    /// False in a thread that cannot work. With the last of them nothing can be done any more.
    bool initialize() noexcept {
        if (!initializer_)
            return true;
        try {
            initializer_();
            return true;
        } catch (...) {
            bool last = false;
            {
                const std::lock_guard lock(mutex_);
                last = --running_ == 0;
            }
            if (last)
                refuse(std::make_exception_ptr(InitializerError(std::current_exception())), false);
            return false;
        }
    }

    void refuse(std::exception_ptr error, bool for_good = true) {
        std::deque<std::shared_ptr<local_task>> dropped;
        {
            const std::lock_guard lock(mutex_);
            open_ = open_ && !for_good;
            if (!refusal_)
                refusal_ = error;
            dropped.swap(tasks_);
        }
        posted_.notify_all();
        settled_.notify_all();
        for (const auto& task : dropped)
            task->fail(error);
    }

    void call_back() noexcept {
        std::unique_lock lock(mutex_);
        for (;;) {
            called_.wait(lock, [&] { return !callbacks_.empty() || ending_; });
            if (callbacks_.empty())
                return;
            function<void()> callback = std::move(callbacks_.front());
            callbacks_.pop_front();
            lock.unlock();
            callback();
            callback = nullptr;
            lock.lock();
        }
    }

    /// The thread of the callbacks goes last: the others give it work until they end.
    void end_threads() {
        std::vector<std::thread> threads;
        {
            std::unique_lock lock(mutex_);
            if (std::exchange(leaving_, true))
                return settled_.wait(lock, [&] { return ended_; });
            threads.swap(threads_);
        }
        for (std::thread& thread : threads) {
            if (&thread == &threads.back())
                end_callbacks();
            if (thread.get_id() == std::this_thread::get_id())
                thread.detach();
            else
                thread.join();
        }
        settle([&] { ended_ = true; });
    }
    void end_callbacks() {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        called_.notify_one();
    }

    const int owner_ = process_id();
    const function<void()> initializer_;
    std::mutex mutex_;
    std::condition_variable posted_;
    std::condition_variable called_;
    std::condition_variable settled_;
    std::deque<std::shared_ptr<local_task>> tasks_;
    std::deque<function<void()>> callbacks_;
    /// Why tasks are not taken any more.
    std::exception_ptr refusal_;
    std::size_t running_;
    std::size_t busy_ = 0;
    bool open_ = true;
    bool ending_ = false;
    /// Somebody waits for the threads; has done so.
    bool leaving_ = false;
    bool ended_ = false;
    std::vector<std::thread> threads_;
    std::vector<std::thread::id> inside_;
};

}  // namespace multiprocessing::detail
