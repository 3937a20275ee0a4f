// SPDX-License-Identifier: MIT
// ProcessPoolExecutor: the pool with the face of Python's concurrent.futures.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/call_arguments.hpp>
#include <multiprocessing/detail/call_job.hpp>
#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/detail/future.hpp>
#include <multiprocessing/detail/future_sets.hpp>
#include <multiprocessing/detail/limited_stream.hpp>
#include <multiprocessing/detail/pool_options.hpp>
#include <multiprocessing/detail/pool_owner.hpp>
#include <multiprocessing/detail/pool_stream.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::futures {

/// How an executor's workers are; used as `{.initializer = {set_up, mp::args(1)}}`.
struct executor_options {
    /// "fork" or "spawn"; empty for what `get_start_method` says. Python: `mp_context`.
    std::string start_method{};
    /// See `pool_options`.
    detail::remote_call initializer{};
    /// Tasks after which a worker ends and another takes its place; at least 1; absent for no end.
    std::optional<long long> max_tasks_per_child{};
};

/// How a range is given to the workers; used as `{.chunksize = 10}`.
struct executor_map_options {
    /// How long all may take, counted from the call. Absent for as long as it takes.
    ::multiprocessing::timeout timeout{};
    /// Elements a task; at least 1.
    long long chunksize = 1;
    /// Elements taken from the range whose results have not been read, at most; at least 1. Empty
    /// for as many as keep the workers busy with short tasks; Python then takes all at once.
    std::optional<long long> buffersize{};
    /// Shows on standard error how many results have been read, if that is a terminal. Not in
    /// Python.
    bool progress = false;
};

/// Worker processes that run functions for this one. Python:
/// `concurrent.futures.ProcessPoolExecutor`.
///
/// A worker that dies costs the work it was running, whose future fails with `WorkerLostError`;
/// another takes its place and all else goes on, where Python's executor is broken for good. Any
/// thread may call any member at any time. Functions, arguments and results must be able to cross;
/// what cannot does not compile.
class ProcessPoolExecutor {
public:
    /// Starts `max_workers` workers, as many as this process has processors if absent. Throws
    /// `ValueError` for less than 1, and what `Process::start` throws; then no worker is left.
    template <class = void>  // So that only who makes one compiles a worker.
    explicit ProcessPoolExecutor(std::optional<int> max_workers = {},
                                 const executor_options& options = {})
        : pool_(std::make_shared<detail::dispatcher>(
              detail::plan_of(max_workers,
                              {.initializer = options.initializer,
                               .maxtasksperchild = options.max_tasks_per_child,
                               .start_method = options.start_method},
                              &detail::make_worker<>))) {}
    ProcessPoolExecutor(const ProcessPoolExecutor&) = delete;
    ProcessPoolExecutor& operator=(const ProcessPoolExecutor&) = delete;
    /// As `shutdown()`: waits until all work is done; in a callback of its own, too.
    ~ProcessPoolExecutor() {
        pool_.end([](detail::dispatcher& pool) { pool.finish(); });
    }

    /// Has `function(arguments...)` run in a worker. String literals and `string_view`s among the
    /// arguments become strings. Throws `ProcessError` after `shutdown()`.
    template <class F, class... Ts>
    requires detail::callable_with<std::decay_t<F>,
                                   detail::arriving<std::decay_t<F>, detail::argument_t<Ts>...>>
    auto submit(F&& function, Ts&&... arguments) {
        return submit(call_options{}, std::forward<F>(function), std::forward<Ts>(arguments)...);
    }
    /// The same, with a time that it may take, or retries: `submit({.timeout = 5s}, f, x)`.
    template <class F, class... Ts>
    requires detail::callable_with<std::decay_t<F>,
                                   detail::arriving<std::decay_t<F>, detail::argument_t<Ts>...>>
    auto submit(const call_options& options, F&& function, Ts&&... arguments) {
        const auto work =
            detail::make_call_job(std::forward<F>(function), args(std::forward<Ts>(arguments)...));
        using R = typename std::remove_reference_t<decltype(*work)>::R;
        work->obey(detail::rules_of(options));
        const auto pool = pool_.share();
        while_running([&] { pool->submit(work); });
        return Future<R>(pool, work);
    }

    /// `function` of each element of `range`, in its order: results are read one after the other,
    /// and elements taken from the range meanwhile; see `Pool::imap`. Once the time has passed
    /// nothing more is taken, and moving on throws `TimeoutError` unless the next result is there;
    /// what no worker has begun by then is given up. With a timeout as many elements of a container
    /// or a span as `buffersize` allows are taken by this call.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range, const executor_map_options& options = {}) {
        const auto end = detail::deadline::after(options.timeout);
        const imap_options bounds{.chunksize = options.chunksize,
                                  .buffersize = options.buffersize,
                                  .progress = options.progress};
        auto results = while_running([&] {
            return detail::open_stream(pool_.share(), std::forward<F>(function),
                                       std::forward<Range>(range), bounds, true, end);
        });
        return detail::limit_stream(std::move(results), end);
    }
    /// `function` of the first elements of both ranges, of the second ones, and so on, until one of
    /// them ends.
    template <class F, std::ranges::input_range A, std::ranges::input_range B>
    auto map(F&& function, A&& first, B&& second, const executor_map_options& options = {}) {
        return map(detail::unpacked<std::decay_t<F>>{std::forward<F>(function)},
                   detail::zipped<A, B>(std::forward<A>(first), std::forward<B>(second)), options);
    }

    /// No more work is taken. Waits, if asked to, until all is done and the workers have ended;
    /// with `cancel_futures` what no worker has begun is cancelled. May be repeated.
    void shutdown(bool wait = true, bool cancel_futures = false) {
        running_ = false;
        pool_.get().close();
        if (cancel_futures)
            pool_.get().cancel_pending();
        if (wait)
            pool_.get().join();
    }
    /// Ends the workers at once, those that work by SIGTERM; all work that is not done fails with `ProcessError`. No
    /// more work is taken.
    void terminate_workers() { end_workers(detail::child_process::terminate_signal); }
    /// The same by SIGKILL.
    void kill_workers() { end_workers(detail::child_process::kill_signal); }

    /// The numbers of the workers' processes, as they are now. Not in Python.
    std::vector<int> worker_pids() const { return pool_.get().worker_pids(); }

private:
    /// What is refused for a shutdown that came meanwhile is so with the same words.
    template <class Step>
    auto while_running(Step step) const {
        require_running();
        try {
            return step();
        } catch (const ValueError&) {
            require_running();
            detail::throw_again();
        }
    }
    void require_running() const {
        if (!running_)
            throw ProcessError("cannot schedule new futures after shutdown");
    }
    void end_workers(int signal) {
        running_ = false;
        pool_.get().terminate(signal);
    }

    detail::pool_owner pool_;
    std::atomic<bool> running_{true};
};

}  // namespace multiprocessing::futures
