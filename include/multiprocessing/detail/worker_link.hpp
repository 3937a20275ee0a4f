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
#include <multiprocessing/detail/given_tasks.hpp>
#include <multiprocessing/detail/pool_statistics.hpp>
#include <multiprocessing/detail/process_launch.hpp>
#include <multiprocessing/detail/remote_exception.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/traffic.hpp>
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
    /// Makes all that a worker needs. Throws what `Process::start` throws.
    worker_link(worker_maker make, const std::shared_ptr<doorbell>& bell,
                const process_options& options, const worker_setup& setup, std::uint64_t number,
                std::shared_ptr<handle> errors)
        : number_(number), processor_(setup.processor), most_tasks_(setup.most_tasks),
          process_(make({channel_.tasks_block(), channel_.replies_block(), bell, errors}, setup,
                        options)),
          tasks_(channel_.control().tasks, channel_.tasks()),
          replies_(channel_.control().replies, channel_.replies()),
          given_(channel_.control().taken, channel_.control().given_back) {
        withheld_[0].emplace(channel_.tasks_block()->native());
        withheld_[1].emplace(channel_.replies_block()->native());
        if (errors) {
            withheld_[2].emplace(errors->get());
            errors->share_with_forks();
        }
        launch_.emplace(state_of(process_));
    }
    worker_link(const worker_link&) = delete;
    worker_link& operator=(const worker_link&) = delete;
    ~worker_link() { let_go_of_launch(); }

    /// Starts it; throws what `Process::start` throws. See process_launch.
    void start() {
        native_handle own[3];
        std::size_t count = 0;
        for (const auto& withheld : withheld_)
            if (withheld)
                own[count++] = withheld->native();
        launch_->run({own, count});
    }
    /// Behind start(): lets go of what only that needed. Its time begins.
    void settle() noexcept {
        let_go_of_launch();
        tally_ = {};
    }

    std::uint64_t number() const noexcept { return number_; }
    /// Which of the processors it is pinned to, if any.
    const std::optional<std::uint64_t>& processor() const noexcept { return processor_; }
    Process& process() noexcept { return process_; }

    std::size_t load() const noexcept { return given_.size(); }
    /// See given_tasks::bytes().
    std::size_t load_bytes() const noexcept { return given_.bytes(); }
    /// Whether it has nothing to do and has shown that it can: it ends when it is asked to.
    bool is_known_idle() const noexcept { return given_.empty() && given_.answered() != 0; }
    /// Whether it will run one task more than it has.
    bool has_room() const noexcept {
        if (is_being_ended() || is_retiring())
            return false;
        return most_tasks_ == 0 || given_.answered() + given_.size() < most_tasks_;
    }
    /// What its initializer threw; such a worker ends.
    const std::exception_ptr& no_start() const noexcept { return no_start_; }
    /// Whether it has ever begun a task; one that has not may be unable to.
    bool has_begun() const noexcept { return given_.has_begun_any(); }

    /// Writes a task into its ring; visible to it with publish(). Throws what writing the arguments
    /// throws: then nothing was given. Whether a stream of tasks is worth more memory is the
    /// caller's to say.
    void give(const task_reference& task, bool may_stream) {
        const std::size_t bytes = task.owner->argument_bytes(task.task);
        std::error_code ec;
        std::byte* const place = reserve(sizeof(task_header) + bytes, may_stream, ec);
        if (place == nullptr)
            throw_system_error(ec, "make room for a task of " + std::to_string(bytes) + " bytes");
        task_header header = task.owner->header();
        if (task.owner->rules().limit.count() != 0)
            header.offset |= task_header::timed;
        std::memcpy(place, &header, sizeof header);
        task.owner->write_arguments(task.task, place + sizeof header);
        given_.add(task, bytes);
        tasks_.commit();
        traffic_.note(bytes, false);
    }

    /// Returns whether it slept and was woken.
    bool publish() noexcept {
        const bool slept = tasks_.publish();
        if (slept)
            traffic_.note(0, true);
        return slept;
    }

    bool has(const job& work) const noexcept {
        for (const auto& given : given_)
            if (given.task.owner == &work)
                return true;
        return false;
    }
    /// The task that it runs, when its replies have been read; of no owner if there is none.
    task_reference running() const noexcept {
        return given_.begun() != 0 ? given_.front().task : task_reference{};
    }
    /// When the time of a task may be over: of the one that it runs, or that it could begin now.
    /// Those behind it have not begun before that is answered.
    deadline next_limit() const noexcept {
        const auto limit = given_.empty() ? std::chrono::nanoseconds(0)
                                          : limit_of(given_.front().task);
        if (limit.count() == 0)
            return deadline::never();
        return given_.begun() != 0 ? deadline::after(began(), limit)
                                   : deadline::after(timeout(limit));
    }
    /// Whether the task that it runs has had its time, when its replies have been read.
    bool is_over_time() const noexcept { return given_.begun() != 0 && next_limit().passed(); }

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
    /// is none. Throws `std::system_error` where the memory was damaged.
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
        given_.pop_front();
    }
    void release_replies() noexcept { replies_.release(); }
    bool has_reply() const noexcept { return replies_.backlog() != 0; }

    /// See given_tasks.
    void take_back(std::size_t most, std::deque<task_reference>& into) {
        given_.take_back(most, into);
    }
    template <class Lost>
    void settle_up(Lost lost, std::deque<task_reference>& into) {
        given_.settle_up(lost, into);
    }
    template <class Failed>
    void disown(Failed failed) noexcept {
        given_.disown(failed);
    }

    /// The pool's wish to be rung at the next reply. Relaxed: the caller puts a fence behind it.
    void want_ring(bool wanted) noexcept {
        channel_.control().ring_wanted.store(wanted ? 1 : 0, std::memory_order_relaxed);
    }

private:
    void let_go_of_launch() noexcept {
        withheld_[2].reset();
        launch_.reset();
    }

    std::byte* reserve(std::uint64_t bytes, bool may_stream, std::error_code& ec) {
        std::byte* place = nullptr;
        if (may_stream && traffic_.is_stream())
            place = tasks_.reserve(bytes, ring_growth::for_stream, ec);
        // A pool does not wait for room.
        return place != nullptr ? place : tasks_.reserve(bytes, ring_growth::whenever_full, ec);
    }

    static constexpr std::chrono::seconds grace{1};

    static std::chrono::nanoseconds limit_of(const task_reference& task) noexcept {
        return task.owner == nullptr ? std::chrono::nanoseconds(0) : task.owner->rules().limit;
    }
    /// In memory that was damaged it may be a moment that has not been, by more than the processors'
    /// clocks may differ: its task has had its time.
    deadline::clock::time_point began() const noexcept {
        using clock = deadline::clock;
        constexpr clock::time_point first{};
        constexpr std::chrono::seconds tolerance{1};
        const clock::time_point told(
            clock::duration(channel_.control().began.load(std::memory_order_relaxed)));
        return told < first || told - tolerance > clock::now() ? first : told;
    }

    /// Only its first words can be that.
    bool is_no_start(std::span<const std::byte> reply) {
        if (given_.answered() != 0 || reply.size() < sizeof(reply_kind))
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

    worker_channel channel_;
    std::uint64_t number_;
    const std::optional<std::uint64_t> processor_;
    const std::uint64_t most_tasks_;
    std::exception_ptr no_start_;
    std::exception_ptr reason_;
    deadline kill_time_ = deadline::never();
    bool retiring_ = false;
    worker_tally tally_;
    Process process_;
    /// From its siblings: the blocks of its rings, and until it is started the end of the pipe for
    /// its standard error.
    std::optional<unshared_handle> withheld_[3];
    std::optional<process_launch> launch_;
    ring_writer tasks_;
    traffic traffic_{0};
    ring_reader replies_;
    given_tasks given_;
};

}  // namespace multiprocessing::detail
