// SPDX-License-Identifier: MIT
// What a pool's workers have done, and when: counted, and written as a trace.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing {

/// What one worker of a pool has done so far.
struct worker_statistics {
    int pid = 0;
    std::string name{};
    /// Tasks answered; a chunk of a map is one. Those that were ended or lost with a worker are not
    /// among them, nor in a trace.
    std::uint64_t tasks = 0;
    /// Bytes of their arguments and results, as they crossed.
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    /// Time in tasks, and time since its start that was not; zero where the pool does not measure.
    std::chrono::nanoseconds busy{0};
    std::chrono::nanoseconds idle{0};
    /// Whether it is there; those that have ended stay in the list.
    bool alive = false;
};

namespace detail {

/// What is counted of a worker while it is there.
class worker_tally {
public:
    void count(std::size_t bytes_in, std::size_t bytes_out) noexcept {
        ++counted_.tasks;
        counted_.bytes_in += bytes_in;
        counted_.bytes_out += bytes_out;
    }
    void count_time(const task_times& times) noexcept {
        counted_.busy += std::chrono::steady_clock::duration(times.ended - times.began);
    }
    worker_statistics at_present(int pid, std::string name, bool measured, bool alive) const {
        worker_statistics found = counted_;
        found.pid = pid;
        found.name = std::move(name);
        found.alive = alive;
        if (measured)
            found.idle = std::chrono::steady_clock::now() - started_ - found.busy;
        return found;
    }

private:
    worker_statistics counted_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

/// A run in the trace-event format of Chrome, which Perfetto and chrome://tracing open: a row for
/// each worker, a bar for each task.
class trace_file {
public:
    /// Throws `std::system_error` where the file cannot be made.
    explicit trace_file(const std::string& path) {
        throw_if_error(create_file(path, file_), "write the trace '" + path + "'");
        text_ = "[";
    }
    trace_file(const trace_file&) = delete;
    trace_file& operator=(const trace_file&) = delete;
    ~trace_file() { write(); }

    void add_worker(int pid, const std::string& name) {
        add(R"({"ph":"M","name":"process_name","pid":)" + std::to_string(pid) +
            R"(,"args":{"name":")" + escaped(name) + R"("}})");
    }
    void add_task(int pid, const std::string& name, std::size_t number, const task_times& times) {
        const std::string worker = std::to_string(pid);
        add(R"({"ph":"X","name":")" + escaped(name) + R"(","pid":)" + worker + R"(,"tid":)" +
            worker + R"(,"ts":)" + microseconds(times.began - origin_) + R"(,"dur":)" +
            microseconds(times.ended - times.began) + R"(,"args":{"task":)" +
            std::to_string(number) + "}}");
    }
    void close() {
        text_ += "\n]\n";
        write();
        file_.reset();
    }

private:
    static constexpr std::size_t buffer_bytes = 64 * 1024;

    void add(const std::string& event) {
        if (!file_)
            return;
        text_ += std::exchange(first_, false) ? "\n" : ",\n";
        text_ += event;
        if (text_.size() >= buffer_bytes)
            write();
    }
    /// A disk that is full costs the rest of the trace, not the run.
    void write() noexcept {
        if (file_ && write_all(file_.get(), std::as_bytes(std::span(text_)), {}))
            file_.reset();
        text_.clear();
    }

    static std::string microseconds(std::chrono::steady_clock::rep ticks) {
        const std::chrono::duration<double, std::micro> time =
            std::chrono::steady_clock::duration(ticks);
        char text[32];
        std::snprintf(text, sizeof text, "%.3f", time.count());
        return text;
    }
    static std::string escaped(const std::string& text) {
        std::string out;
        for (const char c : text) {
            if (c == '"' || c == '\\')
                out += '\\';
            out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
        return out;
    }

    handle file_;
    std::string text_;
    const std::chrono::steady_clock::rep origin_ = task_times::now();
    bool first_ = true;
};

}  // namespace detail
}  // namespace multiprocessing
