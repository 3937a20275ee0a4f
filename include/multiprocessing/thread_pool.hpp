// SPDX-License-Identifier: MIT
// ThreadPool: the calls of a Pool on threads of this process.
#pragma once

#include <cstddef>
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
#include <multiprocessing/detail/async_result.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/elements.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/pool_options.hpp>
#include <multiprocessing/detail/progress_line.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/detail/task_function.hpp>
#include <multiprocessing/detail/thread_crew.hpp>
#include <multiprocessing/detail/thread_jobs.hpp>
#include <multiprocessing/detail/thread_stream.hpp>
#include <multiprocessing/detail/visible_stream.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/os.hpp>

namespace multiprocessing {

/// How a ThreadPool's threads are; used as `{.initializer = {set_up, mp::args(1)}}`.
struct thread_pool_options {
    /// A function, or a function and its arguments, that each thread calls first. Where it throws
    /// in all of them, all work fails with `InitializerError`.
    detail::remote_call initializer{};
};

/// The calls of `Pool` on threads of this process: for functions that wait, or that share what
/// they work on. Nothing crosses to another process, so functions, arguments and results may be of
/// any type, and what is thrown arrives as itself. A task that has begun cannot be ended: neither
/// `terminate()` nor leaving the scope returns before it has. Any thread may call any member at any
/// time, but a task that waits for other tasks of its own pool may wait for ever. The options
/// `timeout` and `retries` are refused (`ValueError`): a thread cannot be ended. In a copy of the
/// process, which has none of the threads, members throw `ProcessError`, and leaving the scope does
/// nothing. Python: `multiprocessing.pool.ThreadPool`.
class ThreadPool {
    template <class F, class... Ts>
    using call_result = std::decay_t<detail::call_result_t<std::decay_t<F>, std::tuple<Ts...>>>;
    template <class F, class Range>
    using mapped = std::vector<detail::local_result<
        std::decay_t<F>, detail::kept_element_t<std::ranges::range_value_t<Range>>>>;
    template <class F>
    using star = detail::unpacked<std::decay_t<F>>;

public:
    /// Starts `processes` threads, as many as this process has processors if absent. Throws
    /// `ValueError` for less than 1.
    explicit ThreadPool(std::optional<int> processes = {}, const thread_pool_options& options = {})
        : count_(detail::checked_count(processes, "thread")),
          crew_(detail::thread_crew::start(count_, initializer_of(options))) {}
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    /// Fails what has not begun, and waits for the rest. In a task or a callback of its own it
    /// waits for the others: the thread that it is in ends by itself after that.
    ~ThreadPool() {
        if (crew_->is_owned())
            crew_->end();
    }

    /// Runs `function(arguments...)` in a thread and returns its result; blocks until then.
    template <class F, class... Ts>
    auto apply(F&& function, std::tuple<Ts...> arguments = {}) {
        const auto work = make_call(std::forward<F>(function), std::move(arguments));
        const auto held = crew_;  // A task may let go of this object meanwhile.
        post(work, 1);
        held->wait(*work, detail::deadline::never());
        return work->take();
    }
    template <class F, class T, class... Ts>
    requires(!detail::is_tuple<T>) auto apply(F&&, T&&, Ts&&...) {
        detail::refuse_bare_arguments<T>();
    }
    /// The same without waiting; tells the callback, if there is one, of the result.
    template <class F, class... Ts>
    auto apply_async(F&& function, std::tuple<Ts...> arguments = {},
                     const apply_options<call_result<F, Ts...>>& options = {}) {
        refuse_limits(options);
        return submit(make_call(std::forward<F>(function), std::move(arguments)), 1, options);
    }

    /// See `Pool::map`.
    template <class F, std::ranges::input_range Range>
    auto map(F&& function, Range&& range, const map_options& options = {}) {
        refuse_limits(options);
        const auto work = make_map(std::forward<F>(function), range, options.chunksize);
        const auto held = crew_;  // As in apply().
        post(work, work->parts());
        if (options.progress)
            wait_in_sight(*held, *work);
        else
            held->wait(*work, detail::deadline::never());
        if constexpr (std::is_same_v<mapped<F, Range>, std::vector<std::monostate>>)
            work->take();
        else
            return work->take();
    }
    template <class F, class T>
    auto map(F&& function, std::initializer_list<T> list, const map_options& options = {}) {
        return map(std::forward<F>(function), std::span<const T>(list), options);
    }
    /// See `Pool::map_async`.
    template <class F, std::ranges::input_range Range>
    auto map_async(F&& function, Range&& range,
                   const map_async_options<mapped<F, Range>>& options = {}) {
        refuse_limits(options);
        const auto work = make_map(std::forward<F>(function), range, options.chunksize);
        return submit(work, work->parts(), options);
    }
    /// See `Pool::starmap`.
    template <class F, std::ranges::input_range Range>
    auto starmap(F&& function, Range&& range, const map_options& options = {}) {
        return map(star<F>{std::forward<F>(function)}, std::forward<Range>(range), options);
    }
    /// See `Pool::starmap_async`.
    template <class F, std::ranges::input_range Range>
    auto starmap_async(F&& function, Range&& range,
                       const map_async_options<mapped<star<F>, Range>>& options = {}) {
        return map_async(star<F>{std::forward<F>(function)}, std::forward<Range>(range), options);
    }
    /// See `Pool::imap`; `buffer_bytes` means nothing here. Letting go of the iterator gives up
    /// what has not begun and waits for the calls that run, which may refer to what the caller has.
    /// One of those calls that lets go of it waits for the others.
    template <class F, std::ranges::input_range Range>
    auto imap(F&& function, Range&& range, const imap_options& options = {}) {
        return make_stream(std::forward<F>(function), std::forward<Range>(range), options, true);
    }
    /// See `Pool::imap_unordered`.
    template <class F, std::ranges::input_range Range>
    auto imap_unordered(F&& function, Range&& range, const imap_options& options = {}) {
        return make_stream(std::forward<F>(function), std::forward<Range>(range), options, false);
    }

    /// No more work is taken; what was taken is still done. May be repeated.
    void close() { crew().close(); }
    /// What has not begun becomes `ProcessError`s. May be repeated.
    void terminate() { crew().terminate(); }
    /// Waits until all work is done and the threads have ended. Throws `ValueError` before
    /// `close()` or `terminate()`, and `ProcessError` in a task or a callback of its own, which
    /// would wait for itself.
    void join() { crew().join(); }
    /// The number of threads.
    int processes() const noexcept { return static_cast<int>(count_); }

private:
    detail::thread_crew& crew() const {
        crew_->require_owned();
        return *crew_;
    }

    template <class Options>
    static void refuse_limits(const Options& options) {
        if (options.timeout || options.retries != 0)
            throw ValueError(
                "a thread cannot be ended, nor is it lost: timeout and retries are for "
                "pools of processes");
    }
    static detail::function<void()> initializer_of(const thread_pool_options& options) {
        return options.initializer ? detail::function<void()>(options.initializer) : nullptr;
    }

    template <class F, class... Ts>
    static auto make_call(F&& function, std::tuple<Ts...> arguments) {
        using Function = std::decay_t<F>;
        static_assert(detail::callable_with<Function, std::tuple<Ts...>>,
                      "the function cannot be called with these arguments");
        return std::make_shared<detail::local_call_job<Function, Ts...>>(std::forward<F>(function),
                                                                         std::move(arguments));
    }

    template <class F, class Range>
    auto make_map(F&& function, Range& range, std::optional<long long> chunksize) {
        using Kept = std::vector<detail::kept_element_t<std::ranges::range_value_t<Range>>>;
        using Elements = detail::indexed_elements<Kept>;
        Kept kept;
        for (auto&& element : range)
            kept.push_back(std::forward<decltype(element)>(element));
        const std::size_t chunk = detail::checked_chunk(chunksize, kept.size(), count_);
        return std::make_shared<detail::local_map_job<std::decay_t<F>, Elements>>(
            std::forward<F>(function), Elements(std::move(kept)), chunk);
    }

    template <class F, class Range>
    auto make_stream(F&& function, Range&& range, const imap_options& options, bool ordered) {
        using Stream = detail::thread_stream<std::decay_t<F>, Range>;
        using R = typename Stream::value;
        refuse_limits(options);
        const std::size_t enough = 16 * count_;
        const auto bounds = detail::bounds_of(options, enough);
        const auto total = options.progress ? detail::known_size(range) : std::nullopt;
        crew().require_open();
        auto stream = std::make_unique<Stream>(crew_, std::forward<F>(function),
                                               std::forward<Range>(range), bounds, ordered);
        stream->begin(enough);
        std::unique_ptr<detail::result_stream<R>> results = std::move(stream);
        if (options.progress)
            results = detail::show_stream(std::move(results), total);
        return IMapIterator<R>(std::move(results));
    }

    template <class Job>
    void post(const std::shared_ptr<Job>& work, std::size_t parts) {
        crew().require_open();
        const auto held = crew_;  // A task or the callback may let go of this object meanwhile.
        for (std::size_t i = 0; i < parts; ++i)
            held->post(std::make_shared<detail::local_part>(*held, work, i));
        if (parts == 0)
            detail::finish_locally(*held, work);
    }
    template <class Job>
    static void wait_in_sight(detail::thread_crew& of, Job& work) {
        detail::progress_line line(work.elements());
        std::size_t left = 0;
        const auto is_ready = [&] {
            left = detail::smaller_of(work.remaining() * work.chunk(), work.elements());
            return work.ready();
        };
        while (!of.await(is_ready, detail::deadline::after(detail::progress_line::interval)))
            line.show(work.elements() - left);
        line.show(work.elements());
    }
    template <class Job, class Options>
    auto submit(const std::shared_ptr<Job>& work, std::size_t parts, const Options& options) {
        work->tell(options.callback, options.error_callback);
        const auto held = crew_;  // See post().
        post(work, parts);
        return AsyncResult<typename Job::result>(held, work);
    }

    const std::size_t count_;
    std::shared_ptr<detail::thread_crew> crew_;
};

}  // namespace multiprocessing
