// SPDX-License-Identifier: MIT
// A pool's side of one worker: its process, its rings and the tasks it has been given.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/pool_statistics.hpp>
#include <multiprocessing/detail/remote_exception.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/unshared_handle.hpp>
#include <multiprocessing/detail/worker.hpp>
#include <multiprocessing/detail/worker_channel.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

/// The worker of all pools. A template, of which a pool is given the address where one is made:
/// what a worker runs must enter itself into the registry before main, and so be compiled, in every
/// file that mentions it. Files that only include the header would take half as long again.
template <class = void>
Process make_worker(worker_ports ports, const worker_setup& setup, const process_options& options) {
    return Process(worker_main, args(std::move(ports), setup), options);
}

class worker_link {
public:
    /// Starts a worker; throws what `Process::start` throws.
    worker_link(worker_maker make, const std::shared_ptr<doorbell>& bell,
                const process_options& options, const worker_setup& setup, std::uint64_t number,
                std::shared_ptr<handle> errors)
        : number_(number), most_tasks_(setup.most_tasks),
          process_(make({channel_.tasks_block(), channel_.replies_block(), bell, std::move(errors)},
                        setup, options)),
          tasks_(channel_.control().tasks, channel_.tasks()),
          replies_(channel_.control().replies, channel_.replies()) {
        process_.start();
        withheld_[0].emplace(channel_.tasks_block()->native());
        withheld_[1].emplace(channel_.replies_block()->native());
    }

    std::uint64_t number() const noexcept { return number_; }
    Process& process() noexcept { return process_; }

    std::size_t load() const noexcept { return given_.size(); }
    /// With those that were taken back and that it has not passed over yet: they lie in its ring,
    /// and would fill the memory while it runs a long task.
    std::size_t load_bytes() const noexcept { return given_bytes_ + stale_bytes_; }
    /// Whether it will run one task more than it has.
    bool has_room() const noexcept {
        if (is_being_ended() || is_retiring())
            return false;
        return most_tasks_ == 0 || answered_ + given_.size() < most_tasks_;
    }
    /// What its initializer threw; such a worker ends.
    const std::exception_ptr& no_start() const noexcept { return no_start_; }
    /// Whether it has ever begun a task; one that has not may be unable to.
    bool has_begun() const noexcept { return taken() != 0; }

    /// Writes a task into its ring; visible to it with publish(). Throws what writing the arguments
    /// throws: then nothing was given.
    void give(const task_reference& task) {
        const std::size_t bytes = task.owner->argument_bytes(task.task);
        std::error_code ec;
        std::byte* const place =
            tasks_.reserve(sizeof(task_header) + bytes, ring_growth::whenever_full, ec);
        if (place == nullptr)
            throw_system_error(ec, "make room for a task of " + std::to_string(bytes) + " bytes");
        task_header header = task.owner->header();
        if (task.owner->rules().limit.count() != 0)
            header.offset |= task_header::timed;
        std::memcpy(place, &header, sizeof header);
        task.owner->write_arguments(task.task, place + sizeof header);
        given_.push_back({task, next_index_, bytes});
        tasks_.commit();
        ++next_index_;
        given_bytes_ += bytes;
    }

    void publish() noexcept { tasks_.publish(); }

    bool has(const job& work) const noexcept {
        for (const given_task& given : given_)
            if (given.task.owner == &work)
                return true;
        return false;
    }
    /// The task that it runs, when its replies have been read; of no owner if there is none.
    task_reference running() const noexcept {
        return !given_.empty() && begun_of(taken()) != 0 ? given_.front().task : task_reference{};
    }
    /// When a task of limited time that it has may be over: the one that it runs, or one that it
    /// could begin now.
    deadline next_limit() const noexcept {
        deadline first = deadline::never();
        const std::size_t begun = begun_of(taken());
        for (std::size_t i = 0; i < given_.size(); ++i) {
            const auto limit = limit_of(given_[i].task);
            if (limit.count() != 0)
                first = deadline::earlier(first, i < begun ? deadline::at(began() + limit)
                                                           : deadline::after(timeout(limit)));
        }
        return first;
    }

    /// Has it end after the task that it runs, if any; it is to have no others.
    void retire() {
        retiring_ = true;
        ask_to_end();
    }
    bool is_retiring() const noexcept { return retiring_; }
    worker_tally& tally() noexcept { return tally_; }

    /// Ends it, so that the task that it runs fails with `reason`: gently at first. It is to have
    /// no other tasks.
    void end(std::exception_ptr reason) {
        reason_ = std::move(reason);
        kill_time_ = deadline::after(timeout(grace));
        process_.terminate();
    }
    bool is_being_ended() const noexcept { return reason_ != nullptr; }
    const std::exception_ptr& reason() const noexcept { return reason_; }
    deadline kill_time() const noexcept { return kill_time_; }
    /// It did not heed that it was asked to.
    void kill() {
        kill_time_ = deadline::never();
        process_.kill();
    }

    void ask_to_end() {
        std::error_code ec;
        const task_header end;
        if (std::byte* const place = tasks_.reserve(sizeof end, ring_growth::whenever_full, ec)) {
            std::memcpy(place, &end, sizeof end);
            tasks_.commit();
            tasks_.publish();
        } else {
            process_.terminate();  // No memory to say it nicely.
        }
    }

    /// The oldest reply and the task it answers, of no owner if nobody waits for it; false if there
    /// is none. Throws `std::system_error`
    /// where the memory was damaged.
    bool next_reply(task_reference& task, std::span<const std::byte>& reply) {
        std::error_code ec;
        const bool found = replies_.front(reply, ec);
        throw_if_error(ec, "read a reply from memory that a task has damaged");
        if (found && is_no_start(reply))
            return false;
        if (found && (given_.empty() || reply.size() < sizeof(reply_kind)))
            throw_system_error(std::make_error_code(std::errc::bad_message),
                               "read a reply to no task, or one that says nothing");
        if (found) {
            task = given_.front().task;
            tally_.count(given_.front().bytes, reply.size());
        }
        return found;
    }
    void pop_reply() noexcept {
        replies_.pop();
        forget_front();
    }
    void release_replies() noexcept { replies_.release(); }
    bool has_reply() const noexcept { return replies_.backlog() != 0; }

    /// Takes back up to `most` of the tasks that it has not begun, the oldest first.
    void take_back(std::size_t most, std::deque<task_reference>& into) {
        std::atomic<std::uint32_t>& taken = channel_.control().taken;
        std::uint32_t from = taken.load(std::memory_order_acquire);
        std::size_t begun = 0;
        std::size_t count = 0;
        do {
            if (!is_plausible(from))
                return;
            begun = begun_of(from);
            count = given_.size() - begun < most ? given_.size() - begun : most;
            if (count == 0)
                return;
        } while (!taken.compare_exchange_weak(from, from + static_cast<std::uint32_t>(count),
                                              std::memory_order_acq_rel));
        for (std::size_t i = 0; i < count; ++i) {
            if (given_[begun + i].task.owner != nullptr)
                into.push_back(given_[begun + i].task);
            given_bytes_ -= given_[begun + i].bytes;
            stale_bytes_ += given_[begun + i].bytes;
        }
        stale_until_ = given_[begun + count - 1].index;
        const auto first = given_.begin() + static_cast<std::ptrdiff_t>(begun);
        given_.erase(first, first + static_cast<std::ptrdiff_t>(count));
    }

    /// After its death, when its replies have been read: calls `lost` with each task that it had
    /// begun, one at most unless its memory was damaged, and gives back the others. Where the
    /// counter cannot be right all are lost: the one that did the damage must not run again and
    /// again.
    template <class Lost>
    void settle_up(Lost lost, std::deque<task_reference>& into) {
        const std::uint32_t count = taken();
        const std::size_t begun = is_plausible(count) ? begun_of(count) : given_.size();
        for (std::size_t i = 0; i < given_.size(); ++i) {
            if (given_[i].task.owner == nullptr)
                continue;
            if (i < begun)
                lost(given_[i].task);
            else
                into.push_back(given_[i].task);
        }
        given_.clear();
        given_bytes_ = 0;
    }

    /// For a pool that gives up: calls `failed` with each task. The places stay, for the replies
    /// that still come.
    template <class Failed>
    void disown(Failed failed) noexcept {
        for (given_task& given : given_)
            if (given.task.owner != nullptr)
                failed(std::exchange(given.task, {}));
    }

    /// The pool's wish to be rung at the next reply. Relaxed: the caller puts a fence behind it.
    void want_ring(bool wanted) noexcept {
        channel_.control().ring_wanted.store(wanted ? 1 : 0, std::memory_order_relaxed);
    }

private:
    static constexpr std::chrono::seconds grace{1};

    static std::chrono::nanoseconds limit_of(const task_reference& task) noexcept {
        return task.owner == nullptr ? std::chrono::nanoseconds(0) : task.owner->rules().limit;
    }
    deadline::clock::time_point began() const noexcept {
        using clock = deadline::clock;
        return clock::time_point(
            clock::duration(channel_.control().began.load(std::memory_order_relaxed)));
    }

    /// Only its first words can be that.
    bool is_no_start(std::span<const std::byte> reply) {
        if (answered_ != 0 || reply.size() < sizeof(reply_kind))
            return false;
        decoder in(reply);
        if (in.take_value<reply_kind>() != reply_kind::no_start)
            return false;
        try {
            no_start_ = exception_from(in.read<exception_record>());
        } catch (const PicklingError&) {
            no_start_ = std::current_exception();
        }
        replies_.pop();
        return true;
    }

    struct given_task {
        task_reference task;
        std::uint32_t index = 0;
        std::size_t bytes = 0;
    };

    std::uint32_t taken() const noexcept {
        return channel_.control().taken.load(std::memory_order_acquire);
    }

    bool is_plausible(std::uint32_t count) const noexcept {
        return !is_before(count, answered_until_) && !is_before(next_index_, count);
    }

    /// How many of the tasks it has not answered were taken when the counter said `count`.
    std::size_t begun_of(std::uint32_t count) const noexcept {
        std::size_t begun = 0;
        while (begun < given_.size() && is_before(given_[begun].index, count))
            ++begun;
        return begun;
    }

    /// Numbers go round.
    static bool is_before(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) < 0;
    }

    void forget_front() noexcept {
        given_bytes_ -= given_.front().bytes;
        if (is_before(stale_until_, given_.front().index))
            stale_bytes_ = 0;
        ++answered_;
        answered_until_ = given_.front().index + 1;
        given_.pop_front();
    }

    worker_channel channel_;
    /// Not before it has started: it has them.
    std::optional<unshared_handle> withheld_[2];
    std::uint64_t number_;
    const std::uint64_t most_tasks_;
    std::uint64_t answered_ = 0;
    std::exception_ptr no_start_;
    std::exception_ptr reason_;
    deadline kill_time_ = deadline::never();
    bool retiring_ = false;
    worker_tally tally_;
    Process process_;
    ring_writer tasks_;
    ring_reader replies_;
    std::deque<given_task> given_;
    std::size_t given_bytes_ = 0;
    std::size_t stale_bytes_ = 0;
    std::uint32_t stale_until_ = 0;
    std::uint32_t next_index_ = 0;
    std::uint32_t answered_until_ = 0;
};

}  // namespace multiprocessing::detail
