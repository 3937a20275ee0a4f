// SPDX-License-Identifier: MIT
// What may be said of a pool and of its calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/remote_call.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/worker_setup.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/os.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing {

/// How a pool's workers are; used as `{.initializer = {set_up, mp::args(1)}, .maxtasksperchild =
/// 100}`.
struct pool_options {
    /// A function, or a function and its arguments, that each worker calls first. What it throws is
    /// thrown as `InitializerError` by the calls that need a worker; workers are not started again
    /// for it before there is new work. By spawn it must be able to cross; queues and other objects
    /// of this library may be among the arguments. Python: `initializer`, `initargs`.
    detail::remote_call initializer{};
    /// Tasks after which a worker ends and another takes its place; at least 1; absent for no end.
    /// A chunk of a map is one task.
    std::optional<long long> maxtasksperchild{};
    /// "fork" or "spawn"; empty for what `get_start_method` says.
    std::string start_method{};
    /// Starts workers when there is work for them, not more than tasks; else all at once.
    bool lazy = false;
    /// Bytes of memory above which a worker ends after its task and another takes its place; 0 for
    /// none. No task is lost.
    std::uint64_t recycle_above = 0;
    /// Bytes of memory that a worker may use for itself, what it has from the start included: what
    /// goes beyond is refused, which is `std::bad_alloc` in most cases. 0 for no limit.
    std::uint64_t memory_limit = 0;
    /// Processor time of a worker, in whole seconds, after which it is ended: its task fails with
    /// `WorkerLostError`, signal SIGXCPU. 0 for no limit.
    std::chrono::seconds cpu_limit{0};
    /// Gives each worker one of the processors that this process may use, in turn.
    bool pin_workers = false;
    /// Passes on what workers write to standard error, by a thread of the pool's, so that
    /// `WorkerLostError` can tell the last lines. Else they write there themselves.
    bool keep_errors = false;
    /// Measures each task, for `statistics()`: some hundredths of a microsecond a task.
    bool measure = false;
    /// A file to write the run to as a trace, in the format of Chrome that Perfetto opens, whole
    /// after `join()`. Measures, too. One that cannot be made is `std::system_error` at once.
    std::string trace{};
};

/// What is said of one call's work; used as `{.timeout = 5s}`.
struct call_options {
    /// How long a task may run, a chunk of a map being one. One that takes longer is ended with its
    /// worker and all that it has started (SIGTERM, a second later SIGKILL), and fails with
    /// `TimeoutError`; no other task is lost. Absent for as long as it takes.
    ::multiprocessing::timeout timeout{};
    /// How often a task is run again whose worker was lost: it may have done half of its work.
    /// One that was ended for its time is not run again.
    int retries = 0;
};

/// The same for a result that comes later; used as `{.callback = [](int result) { ... }}`.
/// Callbacks are called by a thread of the pool, one at a time, before `get()` returns; what they
/// throw is told on standard error. They may use the pool, but not wait for its end, nor for a
/// result that has a callback: `ProcessError`. While one runs nobody else may be there to end a
/// task whose time is over: it should be short.
template <class R>
struct apply_options {
    ::multiprocessing::timeout timeout{};
    int retries = 0;
    /// Called with the result.
    detail::callback<R> callback{};
    /// Called with the error.
    detail::error_callback error_callback{};
};

/// How a range is given to the workers; used as `{.chunksize = 1}`.
struct map_options {
    /// Elements a task; empty for as many as give each worker four tasks. At least 1.
    std::optional<long long> chunksize{};
    ::multiprocessing::timeout timeout{};
    int retries = 0;
    /// Shows on standard error how far it has come, if that is a terminal: one line.
    bool progress = false;
};

/// The same for a result that comes later; see `call_options` and `apply_options`.
template <class R>
struct map_async_options {
    std::optional<long long> chunksize{};
    ::multiprocessing::timeout timeout{};
    int retries = 0;
    detail::callback<R> callback{};
    detail::error_callback error_callback{};
};

/// How a range is worked on while its results are read; used as `{.buffersize = 100}`.
struct imap_options {
    /// Elements a task; at least 1. The results of a task come together, and fail together.
    long long chunksize = 1;
    /// Elements taken from the range whose results have not been read, at most; at least 1. Empty
    /// for as many as keep the workers busy with short tasks. Python: `buffersize`, since 3.15.
    std::optional<long long> buffersize{};
    /// Bytes of such elements and results as they cross, at most, but for one chunk.
    std::size_t buffer_bytes = std::size_t{64} << 20;
    ::multiprocessing::timeout timeout{};
    int retries = 0;
    /// As for a map; counts the results that have been read. A range that does not know its size
    /// has no share and no remaining time.
    bool progress = false;
};

namespace detail {

/// Elements a task, of a map over so many by so many workers.
inline std::size_t checked_chunk(std::optional<long long> chunksize, std::size_t elements,
                                 std::size_t workers) {
    if (chunksize && *chunksize < 1)
        throw ValueError("a chunksize must be at least 1, not " + std::to_string(*chunksize));
    if (chunksize)
        return static_cast<std::size_t>(*chunksize);
    const std::size_t chunk = (elements + 4 * workers - 1) / (4 * workers);
    return chunk == 0 ? 1 : chunk;
}

/// Throws `ValueError` for a time that is none, or retries below zero.
template <class Options>
task_rules rules_of(const Options& options) {
    if (options.timeout && options.timeout->count() <= 0)
        throw ValueError("a task's timeout must be more than nothing");
    if (options.retries < 0)
        throw ValueError("a task cannot be retried " + std::to_string(options.retries) + " times");
    return {options.timeout.value_or(std::chrono::nanoseconds(0)),
            static_cast<std::uint32_t>(options.retries)};
}

inline std::size_t checked_count(std::optional<int> processes, const char* what) {
    const int count = processes ? *processes : os::process_cpu_count();
    if (count < 1)
        throw ValueError(std::string("a pool needs at least 1 ") + what + ", not " +
                         std::to_string(count));
    return static_cast<std::size_t>(count);
}

/// 0 where there is no end.
inline std::uint64_t checked_most_tasks(std::optional<long long> tasks) {
    if (tasks && *tasks < 1)
        throw ValueError("a worker must have at least 1 task, not " + std::to_string(*tasks));
    return tasks ? static_cast<std::uint64_t>(*tasks) : 0;
}

/// `kind` is what workers are called after the start method.
inline process_options worker_options(const std::string& start_method, const char* kind) {
    const std::string name = name_of(start_method_for(start_method));
    return {.name = (name == "fork" ? "Fork" : "Spawn") + std::string(kind),
            .daemon = true,
            .start_method = name};
}

/// Throws `ValueError` where a number is out of range.
inline crew_plan plan_of(std::optional<int> processes, const pool_options& options,
                         worker_maker make) {
    if (options.cpu_limit.count() < 0)
        throw ValueError("a worker's processor time cannot be limited to less than nothing");
    crew_plan plan;
    plan.make = make;
    plan.processes = checked_count(processes, "process");
    plan.options = worker_options(options.start_method, "PoolWorker-");
    plan.setup.initializer = options.initializer;
    plan.setup.most_tasks = checked_most_tasks(options.maxtasksperchild);
    plan.setup.most_resident = options.recycle_above;
    plan.setup.memory_limit = options.memory_limit;
    plan.setup.cpu_seconds = static_cast<std::uint64_t>(options.cpu_limit.count());
    plan.setup.measured = options.measure || !options.trace.empty();
    plan.lazy = options.lazy;
    plan.pinned = options.pin_workers;
    plan.trace = options.trace;
    plan.keep_errors = options.keep_errors;
    return plan;
}

/// How much of a stream may be under way.
struct stream_bounds {
    std::size_t chunk = 1;
    std::size_t places = 1;
    std::size_t bytes = 0;
};

/// `places` is how many chunks may be under way where the options do not say.
inline stream_bounds bounds_of(const imap_options& options, std::size_t places) {
    stream_bounds bounds{checked_chunk(options.chunksize, 0, 1), places, options.buffer_bytes};
    if (!options.buffersize)
        return bounds;
    if (*options.buffersize < 1)
        throw ValueError("a buffersize must be at least 1, not " +
                         std::to_string(*options.buffersize));
    const auto elements = static_cast<std::size_t>(*options.buffersize);
    bounds.chunk = smaller_of(bounds.chunk, elements);
    bounds.places = smaller_of(bounds.places, elements / bounds.chunk);
    return bounds;
}

}  // namespace detail
}  // namespace multiprocessing
