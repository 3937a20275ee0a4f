// SPDX-License-Identifier: MIT
// The parent's half of a pool: gives tasks to workers, takes their replies, replaces those that
// die.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/doorbell.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/remote_exception.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/worker_link.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

// Who works. Everything is done under one lock by the threads that wait for results: one of them
// has the role of the driver, which alone sleeps on the doorbell and the workers' ends, with the
// lock free, and alone starts workers. The others sleep on a condition variable until their job is
// done or the role is free. A thread of the pool's own takes the role only where work is under way
// and nobody waits for it; it is started by the first call that returns before its work is done.
//
// The user's code. Values are written and read by the user's types with the lock held: such code
// that uses the pool is refused, and must not wait for a thread that does. Jobs whose end is such
// code are destroyed by the pool's thread, with the lock free and out of the role: the code may do
// as it likes, and no caller finds it run while it holds a lock of its own.
//
// What a worker's death costs. Its replies are read first: what it had published counts. The task
// it had begun fails with WorkerLostError; those it had been given and not begun go to others.
class dispatcher {
public:
    dispatcher(std::size_t processes, process_options worker_options)
        : processes_(processes), worker_options_(std::move(worker_options)),
          bell_(std::make_shared<doorbell>()) {
        throw_if_error(doorbell::create(*bell_), "create a pool's doorbell");
        throw_if_error(wait_set::create(wait_set_), "create a pool's wait set");
        throw_if_error(wait_set_.add(bell_->native(), bell_key), "listen to a pool's doorbell");
        workers_.reserve(processes_);
        try {
            while (workers_.size() < processes_)
                start_worker();
        } catch (...) {
            for (auto& worker : workers_)
                end_at_once(worker->process());
            throw;
        }
    }
    dispatcher(const dispatcher&) = delete;
    dispatcher& operator=(const dispatcher&) = delete;

    /// Gives out a job and returns at once; a thread of the pool sees to it.
    void submit(std::shared_ptr<job> work) {
        const visit here(*this);
        if (open_)
            start_background();
        if (!accept(*work))
            return;
        job& added = *work;
        added.self = std::move(work);
        feed();
        if (!driven_ && waiting_ == 0)
            background_wake_.notify_one();
    }

    /// Gives out a job and works until it is done.
    void run(job& work) {
        visit here(*this);
        accept(work);
        try {
            drive(
                here, [&] { return work.done(); }, deadline::never());
        } catch (...) {  // The job may refer to what the caller is about to destroy.
            fail_everything(std::current_exception());
            throw;
        }
    }

    /// Works until the job is done or time runs out; returns whether it is.
    bool wait(const job& work, const deadline& until) {
        if (work.done())
            return true;
        visit here(*this);
        return drive(
            here, [&] { return work.done(); }, until);
    }

    /// No more jobs.
    void close() {
        const visit here(*this);
        open_ = false;
    }

    /// Ends the workers now; what they had not answered fails.
    void terminate() {
        const visit here(*this);
        open_ = false;
        terminated_ = true;
        fail_everything(terminated_error());
        for (auto& worker : workers_)
            worker->process().terminate();
    }

    /// Waits until all work is done and the workers have ended. The pool must be closed.
    void join() {
        visit here(*this);
        if (open_)
            throw ValueError("the pool is still running: call close() or terminate() first");
        drive(
            here, [&] { return outstanding_ == 0; }, deadline::never());
        await_role(here);
        {
            const role_holder role(*this);
            end_workers(here);
        }
        stop_background(here);
    }

    std::size_t processes() const noexcept { return processes_; }
    /// Whether this is the process that made it. In a child that is a copy of that one its lock may
    /// be held by a thread that is not there.
    bool is_owned() const noexcept { return owner_ == process_id(); }

    std::vector<int> worker_pids() {
        const visit here(*this);
        std::vector<int> pids;
        for (auto& worker : workers_)
            pids.push_back(*worker->process().pid());
        return pids;
    }

private:
    /// A thread's stay, with the lock held.
    class visit {
    public:
        explicit visit(dispatcher& of) : of_(of), lock_(of.mutex_, std::defer_lock) {
            for (const visit* one = innermost(); one != nullptr; one = one->outer_)
                if (&one->of_ == &of)
                    throw ProcessError("code that writes or reads a task's values cannot use the "
                                       "pool that the task is given to");
            of.knocking_.fetch_add(1, std::memory_order_relaxed);
            lock_.lock();
            of.knocking_.fetch_sub(1, std::memory_order_relaxed);
            outer_ = std::exchange(innermost(), this);
        }
        visit(const visit&) = delete;
        visit& operator=(const visit&) = delete;
        ~visit() { innermost() = outer_; }

        std::unique_lock<std::mutex>& lock() noexcept { return lock_; }

    private:
        static const visit*& innermost() noexcept {
            thread_local const visit* one = nullptr;
            return one;
        }

        dispatcher& of_;
        std::unique_lock<std::mutex> lock_;
        const visit* outer_ = nullptr;
    };

    static constexpr std::uint64_t bell_key = 0;
    // So many tasks wait in a worker's ring at most: enough to hide the way there and back of short
    // ones. More bytes than these wait only if a single task has them.
    static constexpr std::size_t most_given = 128;
    static constexpr std::size_t most_given_bytes = 1 << 20;
    // Workers that die without ever having begun a task, one after the other: they cannot.
    static constexpr std::size_t most_stillborn = 8;
    // Rounds with progress after which the ends of processes are looked at without sleeping.
    static constexpr int rounds_between_looks = 1024;

    // ---- jobs

    /// Whether there is anything to do.
    bool accept(job& work) {
        if (!open_)
            throw ValueError("the pool is not running: it was closed or terminated");
        if (work.tasks() == 0)
            return false;
        pending_.push_back(&work);
        outstanding_ += work.tasks();
        return true;
    }

    bool has_pending() const noexcept { return !returned_.empty() || !pending_.empty(); }

    task_reference next_pending() {
        if (!returned_.empty()) {
            const task_reference task = returned_.front();
            returned_.pop_front();
            return task;
        }
        job* const first = pending_.front();
        const task_reference task{first, first->next++};
        if (first->next == first->tasks())
            pending_.pop_front();
        return task;
    }

    /// A task has its value or its error.
    void settle(const task_reference& task) noexcept {
        --outstanding_;
        if (task.owner->settle()) {
            finished_ = true;
            let_go_of(*task.owner);
        }
    }

    void let_go_of(job& done) noexcept {
        if (!done.self)
            return;  // Its caller has it, and waits for it.
        if (done.ends_quietly()) {
            done.self.reset();
            return;
        }
        done.next_done = std::exchange(done_jobs_, &done);
        background_wake_.notify_one();
    }

    void fail(const task_reference& task, std::exception_ptr error) noexcept {
        task.owner->take_error(task.task, std::move(error));
        settle(task);
    }

    void fail_all_pending(const std::exception_ptr& error) noexcept {
        while (has_pending())
            fail(next_pending(), error);
    }

    // ---- workers

    void start_worker() {
        process_options options = worker_options_;
        options.name += std::to_string(++started_);
        workers_.push_back(std::make_unique<worker_link>(bell_, options, started_));
        worker_link& worker = *workers_.back();
        if (const auto ec = wait_set_.add(worker.process().sentinel(), worker.number())) {
            end_at_once(worker.process());
            workers_.pop_back();
            throw_system_error(ec, "listen to the end of a pool's worker");
        }
    }

    static void end_at_once(Process& process) {
        process.kill();
        process.join();
    }

    /// Brings the workers back to their number, as far as the system allows. With none left all
    /// work fails with the reason; with some it goes on.
    void replace_workers() {
        try {
            while (workers_.size() < processes_ && !terminated_ && (open_ || outstanding_ != 0)) {
                if (stillborn_ >= most_stillborn)
                    throw ProcessError("the pool's workers keep dying before they take a task; the "
                                       "last one " +
                                       last_end_);
                start_worker();
            }
        } catch (...) {
            if (workers_.empty()) {
                fail_all_pending(std::current_exception());
                stillborn_ = 0;  // What comes later tries again.
            }
        }
    }

    /// Tries again what the system may have refused when a worker died; returns whether there are
    /// more workers now.
    bool heal() {
        if (workers_.size() == processes_ || outstanding_ == 0)
            return false;
        const std::size_t before = workers_.size();
        replace_workers();
        return workers_.size() != before;
    }

    static std::string describe_end(std::optional<int> exitcode) {
        if (!exitcode)
            return "ended unseen";
        return *exitcode < 0 ? "was killed by " + signal_name(-*exitcode)
                             : "exited with status " + std::to_string(*exitcode);
    }

    /// Empty where another part of the program keeps the system from telling: no reason to keep
    /// silent about the worker's tasks.
    static std::optional<int> end_of(Process& process) {
        try {
            process.join();
            return process.exitcode();
        } catch (const std::exception&) {
            return std::nullopt;
        }
    }

    void bury(std::size_t place) {
        const std::unique_ptr<worker_link> worker = std::move(workers_[place]);
        workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(place));
        wait_set_.remove(worker->process().sentinel());
        const auto exitcode = end_of(worker->process());
        last_end_ = describe_end(exitcode);
        count_stillborn(*worker, exitcode);
        take_last_replies(*worker);
        worker->settle_up(
            [&](const task_reference& lost) { fail(lost, lost_error(*worker, lost, exitcode)); },
            returned_);
    }

    /// One that was killed from outside could have begun: it does not count.
    void count_stillborn(const worker_link& worker, std::optional<int> exitcode) noexcept {
        if (worker.has_begun())
            stillborn_ = 0;
        else if (exitcode != -child_process::kill_signal &&
                 exitcode != -child_process::terminate_signal)
            ++stillborn_;
    }

    void take_last_replies(worker_link& worker) {
        try {
            take_replies(worker);
        } catch (const std::system_error&) {  // Damaged memory: what it replied cannot be known.
        }
    }

    static std::exception_ptr lost_error(worker_link& worker, const task_reference& task,
                                         std::optional<int> exitcode) {
        const int pid = *worker.process().pid();
        return std::make_exception_ptr(WorkerLostError(
            "worker process " + std::to_string(pid) + " (" + worker.process().name() + ") " +
                describe_end(exitcode) + " while it ran " + task.owner->name() + ", task " +
                std::to_string(task.task),
            pid, exitcode));
    }
    static std::exception_ptr terminated_error() {
        return std::make_exception_ptr(ProcessError("the pool was terminated"));
    }

    void bury_number(std::uint64_t number) {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            if (workers_[i]->number() == number) {
                bury(i);
                return;
            }
        }
    }

    // ---- giving and taking

    /// Gives out what is pending, to the least loaded first: each worker gets one task before any
    /// gets a second. Always in the same order, so that where there is little to do the same few
    /// workers do it, awake, and the others sleep.
    void feed() {
        for (std::size_t level = 1; has_pending() && level <= most_given; level *= 2)
            for (std::size_t i = 0; i < workers_.size() && has_pending(); ++i)
                fill(*workers_[i], level);
    }

    void fill(worker_link& worker, std::size_t level) {
        while (worker.load() < level && has_pending() &&
               (worker.load() == 0 || worker.load_bytes() < most_given_bytes)) {
            const task_reference task = next_pending();
            try {
                worker.give(task);
            } catch (...) {
                fail(task, std::current_exception());
            }
        }
        worker.publish();
    }

    /// Where a worker has nothing to do and another more than it runs: moves half of that over.
    void balance() {
        if (has_pending())
            return;
        for (auto& idle : workers_) {
            if (idle->load() != 0)
                continue;
            worker_link* const busiest = busiest_worker();
            if (busiest == nullptr)
                return;
            busiest->take_back(busiest->load() / 2, returned_);
            fill(*idle, most_given);
        }
    }

    worker_link* busiest_worker() noexcept {
        worker_link* busiest = nullptr;
        for (auto& worker : workers_)
            if (worker->load() > (busiest == nullptr ? 1 : busiest->load()))
                busiest = worker.get();
        return busiest;
    }

    std::size_t take_replies(worker_link& worker) {
        std::size_t taken = 0;
        task_reference task;
        std::span<const std::byte> reply;
        while (worker.next_reply(task, reply)) {
            if (task.owner != nullptr)
                take_reply(task, reply);
            worker.pop_reply();
            ++taken;
            if (task.owner != nullptr)
                settle(task);
        }
        worker.release_replies();
        return taken;
    }

    static void take_reply(const task_reference& task, std::span<const std::byte> reply) noexcept {
        try {
            decoder in(reply);
            if (in.read<reply_kind>() == reply_kind::exception)
                task.owner->take_error(task.task, exception_from(in.read<exception_record>()));
            else
                task.owner->take_value(task.task, in);
        } catch (...) {
            task.owner->take_error(task.task, std::current_exception());
        }
    }

    /// One round; returns whether anything moved.
    bool step() {
        if (terminated_)
            return false;
        std::size_t moved = 0;
        bool idle = false;
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            try {
                moved += take_replies(*workers_[i]);
            } catch (const std::system_error&) {
                workers_[i]->process().kill();  // What it says cannot be believed any more.
            }
            idle = idle || workers_[i]->load() == 0;
        }
        if (has_pending())
            feed();
        else if (idle && moved != 0)
            balance();
        if (finished_)
            call_followers();
        finished_ = false;
        return moved != 0;
    }

    // ---- driving

    /// Works until `done()` or the time has passed; returns `done()`.
    template <class Done>
    bool drive(visit& here, Done done, const deadline& until) {
        const departure at_the_end(*this);
        while (!done()) {
            if (driven_) {
                if (!spin_as_guest(done) && (until.passed() || !follow(here, until)))
                    return done();
            } else if (!drive_in_role(here, done, until)) {
                return done();
            }
        }
        return true;
    }

    /// Works until `done()`; false when the time has passed.
    template <class Done>
    bool drive_in_role(visit& here, Done done, const deadline& until) {
        const role_holder role(*this);
        while (!done()) {
            const bool moved = step() || spin_until([&] { return any_reply(); });
            if (until.passed())
                return false;
            if (moved)
                look_now_and_then();
            else if (!heal() && !done())
                sleep(here, until);
            step_aside(here);
        }
        return true;
    }

    /// The mutex alone would be given back, time and again, to the driver that has just let go of
    /// it: while replies keep coming no other thread would get in.
    void step_aside(visit& here) {
        for (int turn = 0; turn < 16 && is_wanted(); ++turn) {
            here.lock().unlock();
            std::this_thread::yield();
            here.lock().lock();
        }
    }
    bool is_wanted() const noexcept {
        return called_ != 0 || knocking_.load(std::memory_order_relaxed) != 0;
    }

    class role_holder {
    public:
        explicit role_holder(dispatcher& of) noexcept : of_(&of) { of_->driven_ = true; }
        role_holder(const role_holder&) = delete;
        role_holder& operator=(const role_holder&) = delete;
        ~role_holder() { of_->leave_role(); }

    private:
        dispatcher* of_;
    };

    /// Returns when nobody drives; the caller takes the role before it lets go of the lock.
    void await_role(visit& here) {
        while (driven_) {
            wake_driver();
            follow(here, deadline::never());
        }
    }
    void leave_role() noexcept {
        driven_ = false;
        call_followers();
    }
    void call_followers() noexcept {
        called_ = waiting_;
        if (waiting_ > 0)
            done_.notify_all();
    }

    /// Work that nobody waits for any more is the pool's thread's. Also after a wait whose time has
    /// passed: it may have kept that thread from the role, and been called to it in vain.
    class departure {
    public:
        explicit departure(dispatcher& of) noexcept : of_(&of) {}
        departure(const departure&) = delete;
        departure& operator=(const departure&) = delete;
        ~departure() {
            if (!of_->driven_ && of_->waiting_ == 0 && of_->outstanding_ != 0)
                of_->background_wake_.notify_one();
        }

    private:
        dispatcher* of_;
    };

    /// While the driver sleeps its lock is free: short work need not wait for it to wake.
    template <class Done>
    bool spin_as_guest(Done done) {
        spin_until([&] { return step() || done(); });
        return done();
    }

    /// Sleeps until a job is done or the role may be free; false when the time has passed.
    bool follow(visit& here, const deadline& until) {
        if (in_background_)
            wake_driver();  // It makes way for a thread that waits.
        ++waiting_;
        bool in_time = true;
        if (until.is_never())
            done_.wait(here.lock());
        else
            in_time = done_.wait_until(here.lock(), until.moment()) == std::cv_status::no_timeout;
        --waiting_;
        called_ -= called_ != 0 ? 1 : 0;
        return in_time;
    }

    void wake_driver() {
        if (driven_)
            throw_if_error(bell_->ring(), "ring a pool's doorbell");
    }

    bool any_reply() const noexcept {
        for (const auto& worker : workers_)
            if (worker->has_reply())
                return true;
        return false;
    }

    void want_rings(bool wanted) noexcept {
        for (auto& worker : workers_)
            worker->want_ring(wanted);
    }

    /// The driver's sleep: until a bell, the end of a worker, or the time.
    void sleep(visit& here, const deadline& until) {
        want_rings(true);
        // Pairs with the fence in worker_loop::ring_if_wanted().
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (any_reply())
            return want_rings(false);
        here.lock().unlock();
        const auto ec = wait_set_.wait(until, ready_);
        here.lock().lock();
        want_rings(false);
        throw_if_error(ec, "wait for a pool's workers");
        hear();
    }

    void look_now_and_then() {
        if (++rounds_ % rounds_between_looks != 0)
            return;
        throw_if_error(wait_set_.wait(deadline::now(), ready_), "look at a pool's workers");
        hear();
    }

    void hear() {
        bool deaths = false;
        for (const std::uint64_t key : ready_) {
            if (key == bell_key)
                bell_->silence();
            else
                bury_number(key);
            deaths = deaths || key != bell_key;
        }
        if (!deaths)
            return;
        replace_workers();
        feed();
        balance();
    }

    // ---- the end

    /// Waits for all of them at once, and for the pool to be terminated meanwhile: from then on one
    /// that does not heed SIGTERM has a second.
    void end_workers(visit& here) {
        for (auto& worker : workers_)
            if (!terminated_)
                worker->ask_to_end();
        deadline until = deadline::never();
        while (!workers_.empty()) {
            if (terminated_ && until.is_never())
                until = deadline::after(std::chrono::seconds(1));
            here.lock().unlock();
            const auto ec = wait_set_.wait(until, ready_);
            here.lock().lock();
            throw_if_error(ec, "wait for the end of a pool's workers");
            for (const std::uint64_t key : ready_)
                key == bell_key ? bell_->silence() : forget_worker(key);
            if (until.passed())
                kill_workers();
        }
    }

    void forget_worker(std::uint64_t number) {
        for (auto worker = workers_.begin(); worker != workers_.end(); ++worker) {
            if ((*worker)->number() != number)
                continue;
            wait_set_.remove((*worker)->process().sentinel());
            (*worker)->process().join();
            workers_.erase(worker);
            return;
        }
    }

    void kill_workers() {
        for (auto& worker : workers_) {
            wait_set_.remove(worker->process().sentinel());
            end_at_once(worker->process());
        }
        workers_.clear();
    }

    void start_background() {
        if (!background_.joinable())
            background_ = std::thread([this] { run_background(); });
    }
    void stop_background(visit& here) {
        stopping_ = true;
        background_wake_.notify_one();
        std::thread ended = std::exchange(background_, {});
        here.lock().unlock();
        if (ended.joinable())
            ended.join();
        here.lock().lock();
    }

    void run_background() {
        while (await_work()) {
            destroy_done_jobs();
            work_in_background();
        }
    }

    /// False when the pool has ended.
    bool await_work() {
        visit here(*this);
        background_wake_.wait(here.lock(), [&] {
            return stopping_ || done_jobs_ != nullptr || has_work_in_background();
        });
        return !stopping_ || done_jobs_ != nullptr;
    }

    void destroy_done_jobs() {
        job* done = nullptr;
        {
            const visit here(*this);
            done = std::exchange(done_jobs_, nullptr);
        }
        while (done != nullptr) {
            job* const next = done->next_done;
            done->self.reset();
            done = next;
        }
    }

    void work_in_background() {
        visit here(*this);
        if (!has_work_in_background())
            return;
        in_background_ = true;
        try {
            drive_in_role(
                here, [&] { return !nobody_waits() || done_jobs_ != nullptr; }, deadline::never());
        } catch (...) {
            fail_everything(std::current_exception());
        }
        in_background_ = false;
    }

    bool nobody_waits() const noexcept { return outstanding_ != 0 && waiting_ == 0 && !stopping_; }
    bool has_work_in_background() const noexcept { return nobody_waits() && !driven_; }

    /// No work may wait for ever: neither in a pool that was terminated, nor in one that the system
    /// refuses what it cannot do without.
    /// What workers still reply to tasks that failed here is dropped.
    void fail_everything(const std::exception_ptr& error) noexcept {
        fail_all_pending(error);
        for (auto& worker : workers_)
            worker->disown([&](const task_reference& task) { fail(task, error); });
        call_followers();
        if (driven_)
            bell_->ring();  // One that cannot be rung cannot be slept on either.
    }

    std::mutex mutex_;
    /// Threads that are about to take the lock; only a hint to the driver.
    std::atomic<int> knocking_{0};
    std::condition_variable done_;
    std::condition_variable background_wake_;
    const int owner_ = process_id();
    const std::size_t processes_;
    const process_options worker_options_;
    std::shared_ptr<doorbell> bell_;
    wait_set wait_set_;
    std::vector<std::uint64_t> ready_;
    std::vector<std::unique_ptr<worker_link>> workers_;
    std::deque<job*> pending_;
    std::deque<task_reference> returned_;
    std::size_t outstanding_ = 0;
    std::size_t stillborn_ = 0;
    std::string last_end_;
    std::uint64_t started_ = 0;
    int rounds_ = 0;
    /// Followers, and those among them that were called and are not awake yet.
    int waiting_ = 0;
    int called_ = 0;
    job* done_jobs_ = nullptr;
    bool open_ = true;
    bool terminated_ = false;
    bool driven_ = false;
    bool finished_ = false;
    bool stopping_ = false;
    bool in_background_ = false;
    std::thread background_;
};

}  // namespace multiprocessing::detail
