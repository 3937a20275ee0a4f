// SPDX-License-Identifier: MIT
// A task on the wire and at its two ends: the job in the pool that it is part of, the thunk that
// runs it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/image.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// In front of a task's arguments: the place of its thunk. A place of zeros asks the worker to end.
struct task_header {
    /// In the offset, which is never so large: the worker is to note when it begins.
    static constexpr std::uint64_t timed = std::uint64_t{1} << 63;

    std::uint64_t image = 0;
    std::uint64_t offset = 0;
};

/// In front of a reply's value.
enum class reply_kind : std::uint64_t {
    value = 0,
    exception = 1,
    /// To no task: the initializer threw, and the worker ends.
    no_start = 2
};

/// What this process is to a pool: a copy is what a task has forked off its worker.
enum class pool_role { none, worker, copy_of_worker };
inline pool_role role_in_pool = pool_role::none;

/// From before main on: see queue_core's counts_forks.
inline const bool marks_copies_of_workers = (run_after_fork([] {
                                                 if (role_in_pool == pool_role::worker)
                                                     role_in_pool = pool_role::copy_of_worker;
                                             }),
                                             true);

/// After the user's code and before a reply is written: a copy of the worker whose function returns
/// as well ends here. It would write over the worker's reply, and run its tasks a second time.
inline void end_copy_of_worker() noexcept {
    if (role_in_pool == pool_role::copy_of_worker) {
        flush_streams();
        exit_now(0);
    }
}

/// When a task began and ended, by the monotonic clock, which all processes share. In front of its
/// value where the pool measures.
struct task_times {
    std::chrono::steady_clock::rep began = 0;
    std::chrono::steady_clock::rep ended = 0;

    static std::chrono::steady_clock::rep now() noexcept {
        return std::chrono::steady_clock::now().time_since_epoch().count();
    }
};

/// Where a task's thunk writes its value: straight into the ring of replies.
class reply_writer {
public:
    reply_writer(ring_writer& ring, bool measured) noexcept
        : ring_(&ring), began_(measured ? task_times::now() : 0) {}

    /// Room for a value of `bytes` bytes; asking again drops what was written.
    std::byte* reserve(std::size_t bytes) { return reserve(reply_kind::value, bytes); }

    std::byte* reserve(reply_kind kind, std::size_t bytes) {
        end_copy_of_worker();
        const std::size_t header_bytes = sizeof kind + (began_ != 0 ? sizeof(task_times) : 0);
        std::error_code ec;
        std::byte* const place =
            ring_->reserve(header_bytes + bytes, ring_growth::whenever_full, ec);
        if (place == nullptr)
            throw_system_error(ec, "make room for a result of " + std::to_string(bytes) + " bytes");
        std::memcpy(place, &kind, sizeof kind);
        times_ = place + sizeof kind;
        return place + header_bytes;
    }

    template <class... Ts>
    void put(const Ts&... values) {
        encode_to(reserve(encoded_size(values...)), values...);
    }

    /// When the value is written.
    void end() noexcept {
        if (began_ == 0)
            return;
        const task_times times{began_, task_times::now()};
        std::memcpy(times_, &times, sizeof times);
    }

private:
    ring_writer* ring_;
    std::chrono::steady_clock::rep began_;
    std::byte* times_ = nullptr;
};

/// Reads a task's arguments, does the work, writes its value; or throws.
using task_thunk = void (*)(decoder& arguments, reply_writer& reply);

class job;

struct task_reference {
    job* owner = nullptr;
    std::size_t task = 0;
};

/// What is said of each task of a job besides what it does.
struct task_rules {
    /// How long it may run; zero for as long as it takes.
    std::chrono::nanoseconds limit{0};
    /// How often it is run again where its worker is lost.
    std::uint32_t retries = 0;
};

/// Work given to a pool: one task or several, and a place for what comes back. All but `done()` and
/// `call_back()` is called by the dispatcher alone, with its lock held.
class job {
public:
    /// Work of no tasks is done.
    explicit job(std::size_t tasks) noexcept
        : remaining_(tasks), tasks_(tasks), done_(tasks == 0) {}
    job(const job&) = delete;
    job& operator=(const job&) = delete;
    virtual ~job() = default;

    std::size_t tasks() const noexcept { return tasks_; }
    std::size_t tasks_done() const noexcept { return tasks_ - remaining_; }
    /// Pairs with the release in finish(): the results are visible with it.
    bool done() const noexcept { return done_.load(std::memory_order_acquire); }

    /// The thunk's place, the number of bytes of a task's arguments, and the arguments.
    virtual task_header header() const = 0;
    virtual std::size_t argument_bytes(std::size_t task) const = 0;
    virtual void write_arguments(std::size_t task, std::byte* place) const = 0;
    /// Takes a task's value; may throw, which fails the task.
    virtual void take_value(std::size_t task, decoder& value) = 0;
    virtual void take_error(std::size_t task, std::exception_ptr error) noexcept = 0;
    /// Whether destroying it runs no code of the user's.
    virtual bool ends_quietly() const noexcept = 0;
    /// What it is called in messages.
    virtual std::string name() const = 0;
    /// Tells the user of its end: his code, to be run without the lock. Only where has_hooks().
    virtual void call_back() noexcept {}

    /// Whether call_back() is to be called, and whether it is done only after that.
    bool has_hooks() const noexcept { return has_hooks_; }
    bool calls_back() const noexcept { return calls_back_; }
    /// Whether somebody must look after it although nobody waits for it.
    bool is_urgent() const noexcept { return has_hooks_ || limit_.count() != 0; }
    /// Becomes so while it is under way; returns whether it was not.
    bool get_hooks() noexcept { return !std::exchange(has_hooks_, true); }

    task_rules rules() const noexcept { return {limit_, retries_}; }
    /// Before it is given out.
    void obey(const task_rules& rules) noexcept {
        limit_ = rules.limit;
        retries_ = rules.retries;
    }
    /// Its worker was lost: whether it is to be run again.
    bool may_retry(std::size_t task) {
        if (retries_ == 0)
            return false;
        if (!retried_)
            retried_ = std::make_unique<std::vector<std::size_t>>();
        std::uint32_t times = 0;
        for (const std::size_t other : *retried_)
            times += other == task;
        if (times == retries_)
            return false;
        retried_->push_back(task);
        return true;
    }
    /// Whether each of its tasks is waited for, not their end alone.
    bool tells_each() const noexcept { return tells_each_; }
    /// Whether it is in the list of jobs whose end is the user's code.
    bool is_listed() const noexcept { return is_listed_; }
    void be_listed(bool listed) noexcept { is_listed_ = listed; }
    /// Whether no task of it is outstanding.
    bool is_idle() const noexcept { return remaining_ == 0; }

    /// One more task has its value or its error; returns whether it was the last.
    bool settle() noexcept {
        if (--remaining_ != 0)
            return false;
        if (!calls_back_)
            finish();
        return true;
    }
    void finish() noexcept { done_.store(true, std::memory_order_release); }

    bool has_next() const noexcept { return next_ != tasks_; }
    /// The next task that no worker has been given.
    task_reference next_task() noexcept {
        return {this, tells_each_ ? number_of(next_++) : next_++};
    }
    void append(std::size_t tasks) noexcept {
        tasks_ += tasks;
        remaining_ += tasks;
    }

    /// Forgets the tasks that no worker has been given; returns how many.
    std::size_t drop_rest() noexcept {
        const std::size_t rest = tasks_ - next_;
        tasks_ = next_;
        return rest;
    }
    /// So many of its tasks will not be settled; returns whether there are no others.
    bool drop(std::size_t tasks) noexcept { return (remaining_ -= tasks) == 0; }

    /// Among all jobs that have waited for workers; goes round.
    std::uint32_t place_in_queue() const noexcept { return place_in_queue_; }
    void enter_queue(std::uint32_t place) noexcept { place_in_queue_ = place; }

    /// Keeps it while the dispatcher has tasks of it, whatever its user does; empty where the user
    /// waits.
    std::shared_ptr<job> self;
    /// In the list of jobs whose end is the user's code.
    job* next_done = nullptr;

protected:
    /// Before it is given to the dispatcher.
    void be_called_back() noexcept {
        calls_back_ = true;
        has_hooks_ = true;
        done_.store(false, std::memory_order_relaxed);
    }
    /// Of a result that cannot be copied; returns whether it was still there.
    bool give_away() noexcept { return !given_away_.exchange(true); }
    void tell_each() noexcept { tells_each_ = true; }

    /// Of all its tasks so far, in the order of their giving.
    std::size_t tasks_given() const noexcept { return next_; }

private:
    /// The number by which the task is known that is given as this one in turn.
    virtual std::size_t number_of(std::size_t turn) const noexcept { return turn; }

    std::size_t next_ = 0;
    std::size_t remaining_;
    std::size_t tasks_;
    std::atomic<bool> done_;
    bool calls_back_ = false;
    bool has_hooks_ = false;
    bool tells_each_ = false;
    bool is_listed_ = false;
    /// Here it takes no room: a million jobs may wait.
    std::atomic<bool> given_away_{false};
    // Its rules, and the place, side by side: a million jobs may wait.
    std::chrono::nanoseconds limit_{0};
    std::uint32_t retries_ = 0;
    std::uint32_t place_in_queue_ = 0;
    /// Those that were run again, each as often as it is here; null for most jobs, of which a
    /// million may wait.
    std::unique_ptr<std::vector<std::size_t>> retried_;
};

}  // namespace multiprocessing::detail
