// SPDX-License-Identifier: MIT
// The worker processes of a pool: how they are started and listened to, and what is known of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/error_relay.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/doorbell.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/pool_statistics.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/detail/worker_link.hpp>
#include <multiprocessing/detail/worker_setup.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

/// Ordinary code without a lock, as the crew is.
class roster {
public:
    explicit roster(crew_plan plan)
        : processes_(plan.processes), plan_(std::move(plan)), bell_(std::make_shared<doorbell>()) {
        if (!plan_.trace.empty())
            trace_.emplace(plan_.trace);
        if (plan_.keep_errors)
            relay_.emplace();
        throw_if_error(doorbell::create(*bell_), "create a pool's doorbell");
        throw_if_error(wait_set::create(wait_set_), "create a pool's wait set");
        throw_if_error(wait_set_.add(bell_->native(), bell_key), "listen to a pool's doorbell");
        workers_.reserve(processes_);
        try {
            if (!plan_.lazy)
                start_workers(processes_);
        } catch (...) {
            for (auto& worker : workers_)
                give_up(worker->process());
            throw_again();
        }
    }

    roster(const roster&) = delete;
    roster& operator=(const roster&) = delete;

    std::size_t processes() const noexcept { return processes_; }
    /// Of all workers, also of those that have ended, where the pool measures.
    std::vector<worker_statistics> statistics() {
        std::vector<worker_statistics> found = ended_;
        for (auto& worker : workers_)
            found.push_back(present(*worker, true));
        return found;
    }
    bool has_ended() const noexcept { return workers_.empty(); }
    std::vector<int> pids() {
        std::vector<int> pids;
        for (auto& worker : workers_)
            pids.push_back(*worker->process().pid());
        return pids;
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

    std::error_code ring() noexcept { return bell_->ring(); }

    /// Sleeps until a bell, the end of a worker, or the time.
    std::error_code listen(const deadline& until) { return wait_set_.wait(until, ready_); }

    /// After the last worker's end.
    void close_trace() {
        if (trace_)
            trace_->close();
    }

protected:
    ~roster() = default;

    static constexpr std::uint64_t bell_key = 0;

    /// Starts so many more. Where one is refused, those before it are there all the same.
    void start_workers(std::size_t count) {
        for (const std::size_t whole = workers_.size() + count; workers_.size() < whole;)
            start_together(smaller_of(whole - workers_.size(), starts_together()));
    }

    /// The writing end of a worker's standard error; null where it is the pool's own.
    std::shared_ptr<handle> open_errors(pipe_ends& ends) const {
        if (!relay_)
            return nullptr;
        throw_if_error(open_program_pipe(ends, false),
                       "open a pipe for the standard error of a pool's worker");
        return std::make_shared<handle>(std::move(ends.writer));
    }
    /// What one that has ended wrote last.
    std::string last_words(const worker_link& worker) {
        return relay_ ? relay_->finish(worker.number()) : std::string();
    }

    /// Workers that take tasks; the others end when they have done the one that they are at.
    std::size_t active() const noexcept { return workers_.size() - retiring_; }
    worker_statistics present(worker_link& worker, bool alive) {
        return worker.tally().at_present(*worker.process().pid(), worker.process().name(),
                                         plan_.setup.measured, alive);
    }

    static void end_at_once(Process& process) {
        process.kill();
        process.join();
    }

    /// What a task has started and left goes with its worker, unless that ends when it was to. Any
    /// start of a process may have waited for one that died.
    void end_group(worker_link& worker) noexcept {
        signal_group(worker.process().sentinel(), *worker.process().pid(),
                     child_process::kill_signal);
    }

private:
    struct newcomer {
        std::unique_ptr<worker_link> link;
        /// What it writes to its standard error comes out here.
        handle errors{};
    };

    /// See process_launch for why. A program that is started shares no pages with this one; and it
    /// needs descriptors when it is started, which those behind it would have taken.
    std::size_t starts_together() const {
        constexpr std::size_t most = 64;
        const bool copies = start_method_for(plan_.options.start_method) == start_method::fork;
        return copies ? most : 1;
    }
    void start_together(std::size_t count) {
        workers_.reserve(workers_.size() + count);
        std::vector<newcomer> made;
        std::size_t begun = 0;
        std::exception_ptr refused;
        try {
            prepare_workers(made, count);
        } catch (...) {
            refused = std::current_exception();
        }
        try {
            for (; begun < made.size(); ++begun)
                made[begun].link->start();
        } catch (...) {
            refused = std::current_exception();
        }
        made.erase(made.begin() + static_cast<std::ptrdiff_t>(begun), made.end());
        admit(made);
        if (refused)
            std::rethrow_exception(refused);
    }
    void prepare_workers(std::vector<newcomer>& made, std::size_t count) {
        made.reserve(count);
        while (made.size() < count) {
            process_options options = plan_.options;
            options.name += std::to_string(++started_);
            worker_setup setup = plan_.setup;
            if (plan_.pinned)
                setup.processor = free_processor(made);
            pipe_ends errors;
            auto link = std::make_unique<worker_link>(plan_.make, bell_, options, setup, started_,
                                                      open_errors(errors));
            made.push_back({std::move(link), std::move(errors.reader)});
        }
    }

    /// Where one cannot be listened to, that and those behind it are ended.
    void admit(std::vector<newcomer>& made) {
        for (newcomer& each : made)
            each.link->settle();
        try {
            for (newcomer& each : made)
                admit_one(each);
        } catch (...) {
            for (newcomer& each : made)
                if (each.link)
                    give_up(each.link->process());
            throw_again();
        }
    }
    void admit_one(newcomer& each) {
        worker_link& worker = *each.link;
        throw_if_error(wait_set_.add(worker.process().sentinel(), worker.number()),
                       "listen to the end of a pool's worker");
        workers_.push_back(std::move(each.link));  // There is room.
        if (relay_)
            relay_->add(worker.number(), std::move(each.errors));
        if (trace_)
            trace_->add_worker(*worker.process().pid(), worker.process().name());
    }
    /// One that cannot be ended is when this process ends, by its tie.
    static void give_up(Process& process) noexcept {
        try {
            end_at_once(process);
        } catch (const std::exception&) {
        }
    }

    /// The first that no worker is pinned to; they are numbered on where there are more workers.
    std::uint64_t free_processor(const std::vector<newcomer>& made) const noexcept {
        std::uint64_t number = 0;
        const auto is_taken = [&] {
            for (const auto& worker : workers_)
                if (worker->processor() == number)
                    return true;
            for (const newcomer& each : made)
                if (each.link->processor() == number)
                    return true;
            return false;
        };
        while (is_taken())
            ++number;
        return number;
    }

protected:
    std::size_t processes_;
    const crew_plan plan_;
    std::optional<trace_file> trace_;
    std::optional<error_relay> relay_;
    std::vector<worker_statistics> ended_;
    std::shared_ptr<doorbell> bell_;
    wait_set wait_set_;
    std::vector<std::uint64_t> ready_;
    std::vector<std::unique_ptr<worker_link>> workers_;
    std::uint64_t started_ = 0;
    /// Those that end because there are to be fewer.
    std::size_t retiring_ = 0;
};

}  // namespace multiprocessing::detail
