// SPDX-License-Identifier: MIT
// What is said of a worker that died and of the task that it ran.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include <multiprocessing/detail/first_use.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

inline std::string describe_end(std::optional<int> exitcode) {
    if (!exitcode)
        return "ended unseen";
    return *exitcode < 0 ? "was killed by " + signal_name(-*exitcode)
                         : "exited with status " + std::to_string(*exitcode);
}

/// Empty where another part of the program keeps the system from telling: no reason to keep silent
/// about the worker's tasks.
inline std::optional<int> end_of(Process& process) {
    try {
        process.join();
        return process.exitcode();
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

/// What the end of one worker looks like from here.
class loss_report {
public:
    loss_report(Process& process, std::optional<int> exitcode, bool out_of_memory,
                std::string last_words)
        : name_(process.name()) {
        end_.pid = *process.pid();
        end_.exitcode = exitcode;
        if (exitcode && *exitcode < 0)
            end_.signal = signal_name(-*exitcode);
        end_.out_of_memory = out_of_memory;
        end_.last_words = std::move(last_words);
    }

    std::exception_ptr error(const task_reference& task) const {
        worker_end end = end_;
        end.task = task.owner->name() + ", task " + std::to_string(task.task);
        const std::string text = "worker process " + std::to_string(end.pid) + " (" + name_ + ") " +
                                 describe_end(end.exitcode) + " while it ran " + end.task +
                                 (end.out_of_memory ? "; memory had run out" : "") +
                                 (end.last_words.empty() ? "" : ". Its last words were:\n") +
                                 end.last_words;
        return std::make_exception_ptr(WorkerLostError(text, std::move(end)));
    }

private:
    worker_end end_;
    std::string name_;
};

/// Whether workers that were killed may have been so for want of memory: whether there was a kill
/// for that since this was asked last, or since the first pool. To ask costs half as much as to
/// start a process, so that it is done once for all pools.
class memory_watch {
public:
    memory_watch() { known_kills(); }

    bool has_killed(std::optional<int> exitcode) {
        if (exitcode != -child_process::kill_signal)
            return false;
        const std::uint64_t now = out_of_memory_kills();
        return now > known_kills().exchange(now, std::memory_order_relaxed);
    }

private:
    static std::atomic<std::uint64_t>& known_kills() {
        static constinit first_use<std::atomic<std::uint64_t>> kills;
        return kills.get([] { return std::atomic<std::uint64_t>(out_of_memory_kills()); });
    }
};

}  // namespace multiprocessing::detail
