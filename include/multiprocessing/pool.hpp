// SPDX-License-Identifier: MIT
// Pool: worker processes that run functions for this one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/async_result.hpp>
#include <multiprocessing/detail/call_arguments.hpp>
#include <multiprocessing/detail/call_job.hpp>
#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/detail/elements.hpp>
#include <multiprocessing/detail/map_job.hpp>
#include <multiprocessing/detail/pool_options.hpp>
#include <multiprocessing/detail/pool_owner.hpp>
#include <multiprocessing/detail/pool_stream.hpp>
#include <multiprocessing/detail/progress_line.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/os.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing {

/// Worker processes that run functions for this one. Python: `multiprocessing.Pool`.
///
/// What a function throws in a worker is thrown here: as itself where it is a standard exception or
/// one of this library's own (not `subprocess`'), as `RemoteError` otherwise. A worker that dies
/// costs the task it was running, which fails with `WorkerLostError`; another takes its place, and
/// nothing else is lost. Workers end with this process, and what they have started with them: a
/// task may start processes and have pools. Any thread may call any member at any time. Functions,
/// arguments and results must be able to cross; what cannot does not compile.
///
/// Up to 16 workers, none with a limit of memory, are each given a stream of tasks through 2 MiB of
/// shared memory, which stay theirs; else a worker has 64 KiB, and more while large tasks or results
/// need it.
class Pool {
    template <class F, class... Ts>
    using call_result = std::decay_t<
        detail::call_result_t<std::decay_t<F>, detail::arriving<std::decay_t<F>, Ts...>>>;
    template <class F, class T>
    using sent_function = detail::sent_function<std::decay_t<F>, T>;
    template <class F, class Range>
    using mapped = detail::mapped<std::decay_t<F>, Range>;
    template <class F, class Range>
    using star_mapped = detail::mapped<detail::unpacked<std::decay_t<F>>, Range>;

public:
    /// Starts `processes` workers, as many as this process has processors if absent. Throws
    /// `ValueError` for less than 1, and what `Process::start` throws; then no worker is left.
    template <class = void>  // So that only who makes a pool compiles a worker.
    explicit Pool(std::optional<int> processes = {}, const pool_options& options = {})
        : pool_(std::make_shared<detail::dispatcher>(
              detail::plan_of(processes, options, &detail::make_worker<>))) {}
    Pool(Pool&& other) noexcept = default;
    Pool& operator=(Pool&&) = delete;

    /// Terminates the workers and waits for their end, as leaving Python's `with` does: call
    /// `close()` and `join()` to let work end first. Results that are still awaited become errors.
    ~Pool() {
        pool_.end([](detail::dispatcher& pool) { pool.end(); });
    }

    /// Runs `function(arguments...)` in a worker and returns its result; blocks until then. Of many
    /// elements, `args(std::span(elements))` copies them once, into the shared memory where the
    /// function reads them; one that takes a vector gets one.
    template <class F, class... Ts>
    auto apply(F&& function, std::tuple<Ts...> arguments = {}, const call_options& options = {}) {
        detail::call_job_of<F, Ts...> work(std::forward<F>(function), std::move(arguments));
        work.obey(detail::rules_of(options));
        open().run(work);
        return work.take();
    }

    template <class F, class T, class... Ts>
    requires(!detail::is_tuple<T>) auto apply(F&&, T&&, Ts&&...) {
        detail::refuse_bare_arguments<T>();
    }

    /// The same without waiting; tells the callback, if there is one, of the result. What a span
    /// among the arguments refers to must stay until the result is ready.
    template <class F, class... Ts>
    auto apply_async(F&& function, std::tuple<Ts...> arguments = {},
                     const apply_options<call_result<F, Ts...>>& options = {}) {
        return submit(detail::make_call_job(std::forward<F>(function), std::move(arguments)),
                      options);
    }

    template <class F, class T, class... Ts>
    requires(!detail::is_tuple<T>) auto apply_async(F&&, T&&, Ts&&...) {
        detail::refuse_bare_arguments<T>();
    }

    /// `function` of each element of `range`, in the order of the range; blocks until all are
    /// there. What iterating over the range throws is thrown before anything is given out. The
    /// elements go to the workers in chunks. Throws the error of the chunk that failed first, once
    /// all have ended; `ValueError` for a chunksize below 1. A function that returns nothing makes
    /// it return nothing.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range, const map_options& options = {}) {
        return finish(make_map(std::forward<F>(function), lend(range), options.chunksize), options);
    }

    /// The same of a list, such as `pool.map(f, {1, 2, 3})`.
    template <class F, class T>
    auto map(F&& function, std::initializer_list<T> list, const map_options& options = {}) {
        return map(std::forward<F>(function), std::span<const T>(list), options);
    }

    /// The same without waiting; the range is copied, or moved in.
    template <class F, std::ranges::input_range Range>
    auto map_async(F&& function, Range&& range,
                   const map_async_options<mapped<F, Range>>& options = {}) {
        return submit(make_map(std::forward<F>(function), keep(std::forward<Range>(range)),
                               options.chunksize),
                      options);
    }

    /// As `map`, of elements that are tuples, pairs or arrays: `function` takes what is in them.
    template <class F, std::ranges::input_range Range>
    auto starmap(F&& function, Range&& range, const map_options& options = {}) {
        return map(unpack(std::forward<F>(function)), std::forward<Range>(range), options);
    }
    /// As `map_async`, of elements that are tuples, pairs or arrays.
    template <class F, std::ranges::input_range Range>
    auto starmap_async(F&& function, Range&& range,
                       const map_async_options<star_mapped<F, Range>>& options = {}) {
        return map_async(unpack(std::forward<F>(function)), std::forward<Range>(range), options);
    }

    /// `function` of each element of `range`, in its order, one after the other as they are asked
    /// for. The range may be endless: elements are taken from it by the thread that asks for
    /// results, some ahead of them, never more than `options` allows; by this call those that come
    /// within microseconds. A range that is no temporary is referred to, and must stay until the
    /// end. The elements that are taken already are worked on also after `close()`; those that are
    /// not yet need a pool that was not joined. Throws `ValueError` for a chunksize or buffersize
    /// below 1.
    template <class F, std::ranges::input_range Range>
    auto imap(F&& function, Range&& range, const imap_options& options = {}) {
        return detail::open_stream(pool_.share(), std::forward<F>(function),
                                   std::forward<Range>(range), options, true);
    }
    /// The same, in the order in which the results come.
    template <class F, std::ranges::input_range Range>
    auto imap_unordered(F&& function, Range&& range, const imap_options& options = {}) {
        return detail::open_stream(pool_.share(), std::forward<F>(function),
                                   std::forward<Range>(range), options, false);
    }

    /// No more work is taken; what was taken is still done. May be repeated.
    void close() { open().close(); }
    /// Ends the workers at once; results that are still awaited become `ProcessError`s. May be
    /// repeated.
    void terminate() { open().terminate(); }
    /// Waits until all work is done and the workers have ended. Throws `ValueError` before
    /// `close()` or `terminate()`.
    void join() { open().join(); }

    /// Changes the number of workers. New ones are started at once; of those that are too many each
    /// ends after the task that it is at. Throws `ValueError` for less than 1. Not in Python.
    void resize(int processes) { open().resize(detail::checked_count(processes, "process")); }
    /// What the workers have done so far; those that have ended are among them, and times are, if
    /// the pool measures. Not in Python.
    std::vector<worker_statistics> statistics() const { return open().statistics(); }

    /// The number of workers that there are to be.
    int processes() const { return static_cast<int>(open().processes()); }
    /// The numbers of the workers' processes, as they are now.
    std::vector<int> worker_pids() const { return open().worker_pids(); }

private:
    detail::dispatcher& open() const { return pool_.get(); }

    /// A view of the caller's range where its elements lie somewhere and can be had by their place.
    /// Else, and where they are computed when they are looked at, a copy: each is looked at twice,
    /// and while other threads that use the pool wait.
    template <class Range>
    static auto lend(Range& range) {
        if constexpr (std::ranges::contiguous_range<Range> ||
                      (std::ranges::random_access_range<Range> && !std::ranges::view<Range> &&
                       std::is_lvalue_reference_v<std::ranges::range_reference_t<Range>>))
            return detail::indexed_elements(
                detail::lent_range(std::ranges::begin(range), std::ranges::end(range)));
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
    auto make_map(F&& function, Elements elements, std::optional<long long> chunksize) const {
        using Mapped = sent_function<F, typename Elements::element>;
        const std::size_t chunk =
            detail::checked_chunk(chunksize, elements.size(), open().processes());
        return std::make_shared<detail::map_job<Mapped, Elements>>(
            Mapped{std::forward<F>(function)}, std::move(elements), chunk);
    }

    template <class F>
    static auto unpack(F&& function) {
        return detail::unpacked<std::decay_t<F>>{std::forward<F>(function)};
    }

    template <class Job>
    auto finish(std::shared_ptr<Job> work, const map_options& options) {
        work->obey(detail::rules_of(options));
        if (options.progress)
            run_in_sight(*work, work->elements(), work->chunk());
        else
            open().run(*work);
        if constexpr (std::is_same_v<typename Job::value, std::monostate>)
            work->take();
        else
            return work->take();
    }

    void run_in_sight(detail::job& work, std::size_t elements, std::size_t chunk) {
        detail::progress_line line(elements);
        open().run(work, detail::progress_line::interval, [&](std::size_t tasks) {
            line.show(detail::smaller_of(tasks * chunk, elements));
        });
        line.show(elements);
    }

    template <class Job, class Options>
    auto submit(const std::shared_ptr<Job>& work, const Options& options) {
        work->obey(detail::rules_of(options));
        work->tell(options.callback, options.error_callback);
        const auto pool = pool_.share();  // The callback may let go of this object before that.
        pool->submit(work);
        return AsyncResult<typename Job::result>(pool, work);
    }

    detail::pool_owner pool_;
};

}  // namespace multiprocessing
