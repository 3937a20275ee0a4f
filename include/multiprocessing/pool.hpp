// SPDX-License-Identifier: MIT
// Pool: worker processes that run functions for this one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/detail/pool_jobs.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/os.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing {

/// How a pool's workers are; used as `{.start_method = "spawn"}`.
struct pool_options {
    /// "fork" or "spawn"; empty for what `get_start_method` says.
    std::string start_method{};
};

/// How a range is given to the workers; used as `{.chunksize = 1}`.
struct map_options {
    /// Elements a task; empty for as many as give each worker four tasks. At least 1.
    std::optional<long long> chunksize{};
};

/// A result that comes later. A cheap handle; any thread may call any member at any time.
/// Python: `multiprocessing.pool.AsyncResult`.
template <class R>
class AsyncResult {
public:
    /// The result, once it is there; throws what the task threw, `WorkerLostError` where its worker
    /// died, `TimeoutError` if `limit` passes first. May be called again: each call returns a copy,
    /// but for what cannot be copied, which is given away by the first.
    R get(const timeout& limit = {}) const {
        if (!wait(limit))
            throw TimeoutError("the result is not there yet");
        return job_->get();
    }
    /// Waits until the result is there or `limit` passes; returns whether it is. In a process other
    /// than the pool's it throws `ProcessError` where the result is not there: it never will be.
    bool wait(const timeout& limit = {}) const {
        if (job_->done())
            return true;
        if (!dispatcher_->is_owned())
            throw ProcessError("a result comes to the process only that made the pool");
        return dispatcher_->wait(*job_, detail::deadline::after(limit));
    }
    /// Whether it is there, as a value or as an error.
    bool ready() const noexcept { return job_->done(); }
    /// Whether it is a value. Throws `ValueError` before it is there.
    bool successful() const {
        if (!ready())
            throw ValueError("the result is not there yet: it cannot be known to be a success");
        return !job_->failed();
    }

private:
    friend class Pool;

    AsyncResult(std::shared_ptr<detail::dispatcher> dispatcher,
                std::shared_ptr<detail::result_job<R>> job) noexcept
        : dispatcher_(std::move(dispatcher)), job_(std::move(job)) {}

    std::shared_ptr<detail::dispatcher> dispatcher_;
    std::shared_ptr<detail::result_job<R>> job_;
};

/// Worker processes that run functions for this one. Python: `multiprocessing.Pool`.
///
/// What a function throws in a worker is thrown here: as itself where it is a standard exception or
/// one of this library, as `RemoteError` otherwise. A worker that dies costs the task it was
/// running, which fails with `WorkerLostError`; another takes its place, and nothing else is lost.
/// Workers are daemons: they have no children and end with this process. Any thread may call any
/// member at any time. Functions, arguments and results must be able to cross; what cannot does not
/// compile.
class Pool {
public:
    /// Starts `processes` workers, as many as this process has processors if absent. Throws
    /// `ValueError` for less than 1, and what `Process::start` throws; then no worker is left.
    explicit Pool(std::optional<int> processes = {}, const pool_options& options = {})
        : dispatcher_(std::make_shared<detail::dispatcher>(checked_count(processes),
                                                           worker_options(options))) {}
    Pool(Pool&& other) noexcept = default;
    Pool& operator=(Pool&&) = delete;

    /// Terminates the workers and waits for their end, as leaving Python's `with` does: call
    /// `close()` and `join()` to let work end first. Results that are still awaited become errors.
    ~Pool() {
        if (!dispatcher_ || !dispatcher_->is_owned()) {
            leak();
            return;
        }
        try {
            dispatcher_->terminate();
            dispatcher_->join();
        } catch (const std::exception&) {  // The system refuses to wait: the workers end with us.
            leak();
        }
    }

    /// Runs `function(arguments...)` in a worker and returns its result; blocks until then.
    template <class F, class... Ts>
    auto apply(F&& function, std::tuple<Ts...> arguments = {}) {
        auto work = make_call(std::forward<F>(function), std::move(arguments));
        open().run(*work);
        return work->take();
    }

    /// The same without waiting.
    template <class F, class... Ts>
    auto apply_async(F&& function, std::tuple<Ts...> arguments = {}) {
        return submit(make_call(std::forward<F>(function), std::move(arguments)));
    }

    /// `function` of each element of `range`, in the order of the range; blocks until all are
    /// there. What iterating over the range throws is thrown before anything is given out. The
    /// elements go to the workers in chunks. Throws the error of the chunk that failed first, once
    /// all have ended; `ValueError` for a chunksize below 1. A function that returns nothing makes
    /// it return nothing.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range, const map_options& options = {}) {
        auto work = make_map(std::forward<F>(function), lend(range), options);
        open().run(*work);
        if constexpr (std::is_same_v<typename decltype(work)::element_type::value, std::monostate>)
            work->take();
        else
            return work->take();
    }

    /// The same without waiting; the range is copied, or moved in.
    template <class F, std::ranges::input_range Range>
    auto map_async(F&& function, Range&& range, const map_options& options = {}) {
        return submit(
            make_map(std::forward<F>(function), keep(std::forward<Range>(range)), options));
    }

    /// No more work is taken; what was taken is still done. May be repeated.
    void close() { open().close(); }
    /// Ends the workers at once; results that are still awaited become `ProcessError`s. May be
    /// repeated.
    void terminate() { open().terminate(); }
    /// Waits until all work is done and the workers have ended. Throws `ValueError` before
    /// `close()` or `terminate()`.
    void join() { open().join(); }

    /// The number of workers.
    int processes() const { return static_cast<int>(open().processes()); }
    /// The numbers of the workers' processes, as they are now.
    std::vector<int> worker_pids() const { return open().worker_pids(); }

private:
    static std::size_t checked_count(std::optional<int> processes) {
        const int count = processes ? *processes : os::process_cpu_count();
        if (count < 1)
            throw ValueError("a pool needs at least 1 process, not " + std::to_string(count));
        return static_cast<std::size_t>(count);
    }

    static process_options worker_options(const pool_options& options) {
        const auto method = detail::start_method_for(options.start_method);
        const std::string name = detail::name_of(method);
        return {.name = (name == "fork" ? "ForkPoolWorker-" : "SpawnPoolWorker-"),
                .daemon = true,
                .start_method = name};
    }

    detail::dispatcher& open() const {
        if (!dispatcher_)
            throw ValueError("the pool was moved to another object");
        if (!dispatcher_->is_owned())
            throw ProcessError("a pool can be used by the process that made it only");
        return *dispatcher_;
    }

    template <class F, class... Ts>
    static auto make_call(F&& function, std::tuple<Ts...> arguments) {
        using Function = std::decay_t<F>;
        static_assert(detail::callable_with<Function, std::tuple<Ts...>>,
                      "the function cannot be called with these arguments");
        detail::assert_sendable<Function>();
        (detail::assert_sendable<Ts>(), ...);
        using R = std::decay_t<detail::call_result_t<Function, std::tuple<Ts...>>>;
        if constexpr (!std::is_void_v<R>)
            detail::assert_sendable<R>();
        return std::make_shared<detail::call_job<Function, Ts...>>(std::forward<F>(function),
                                                                   std::move(arguments));
    }

    /// A view of the caller's range where its elements lie somewhere and can be had by their place.
    /// Else, and where they are computed when they are looked at, a copy: each is looked at twice,
    /// and while other threads that use the pool wait.
    template <class Range>
    static auto lend(Range& range) {
        if constexpr (std::ranges::contiguous_range<Range> ||
                      (std::ranges::random_access_range<Range> && !std::ranges::view<Range> &&
                       std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>))
            return detail::indexed_elements(
                std::ranges::subrange(std::ranges::begin(range), std::ranges::end(range)));
        else
            return keep(range);
    }
    template <class Range>
    static auto keep(Range&& range) {
        using Kept = std::vector<detail::kept_element_t<std::ranges::range_value_t<Range>>>;
        if constexpr (std::is_same_v<std::remove_cvref_t<Range>, Kept>)
            return detail::indexed_elements<Kept>(std::forward<Range>(range));
        else
            return detail::indexed_elements<Kept>(collect<Kept>(range));
    }
    template <class Kept, class Range>
    static Kept collect(Range& range) {
        Kept kept;
        if constexpr (std::ranges::sized_range<Range>)
            kept.reserve(static_cast<std::size_t>(std::ranges::size(range)));
        for (auto&& element : range)
            kept.push_back(std::forward<decltype(element)>(element));
        return kept;
    }

    template <class F, class Elements>
    auto make_map(F&& function, Elements elements, const map_options& options) const {
        using Function = std::decay_t<F>;
        using T = typename Elements::element;
        static_assert(detail::callable_with<Function, std::tuple<T>>,
                      "the function cannot be called with an element of the range");
        using R = std::decay_t<detail::call_result_t<Function, std::tuple<T>>>;
        detail::assert_sendable<Function>();
        detail::assert_sendable<T>();
        if constexpr (!std::is_void_v<R>)
            detail::assert_sendable<R>();
        const std::size_t chunk = chunksize(options, elements.size());
        using Mapped =
            std::conditional_t<std::is_void_v<R>, detail::without_result<Function>, Function>;
        return std::make_shared<detail::map_job<Mapped, Elements>>(
            Mapped{std::forward<F>(function)}, std::move(elements), chunk);
    }

    std::size_t chunksize(const map_options& options, std::size_t elements) const {
        if (options.chunksize && *options.chunksize < 1)
            throw ValueError("a chunksize must be at least 1, not " +
                             std::to_string(*options.chunksize));
        if (options.chunksize)
            return static_cast<std::size_t>(*options.chunksize);
        const std::size_t parts = 4 * open().processes();
        const std::size_t chunk = (elements + parts - 1) / parts;
        return chunk == 0 ? 1 : chunk;
    }

    template <class Job>
    auto submit(std::shared_ptr<Job> work) {
        using R = typename Job::result;
        open().submit(work);
        return AsyncResult<R>(dispatcher_, std::move(work));
    }

    /// In a child that is a copy of this process the workers are the parent's, and the pool's
    /// thread is not there: nothing of it can be ended here.
    void leak() noexcept {
        if (dispatcher_)
            new std::shared_ptr<detail::dispatcher>(std::move(dispatcher_));
    }

    std::shared_ptr<detail::dispatcher> dispatcher_;
};

}  // namespace multiprocessing
