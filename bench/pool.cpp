// SPDX-License-Identifier: MIT
// What a pool does with many small tasks, with one task at a time, and with large arguments.
#include <multiprocessing/multiprocessing.hpp>

#include "support/contender.hpp"
#include "support/promised_fork.hpp"
#include "support/raw.hpp"
#include "support/raw_calls.hpp"
#include "support/ring_call.hpp"
#include "support/tasks.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <unistd.h>

namespace {

namespace mp = multiprocessing;

constexpr int workers = 2;

double last(const std::vector<double>& xs) {
    return xs.back();
}
double last_of_span(std::span<const double> xs) {
    return xs.back();
}

void count_items(benchmark::State& state, std::size_t each) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

/// Does not count the first calls, in which memory is new, up to where large messages take turns.
/// CPython's first call is not counted either.
template <class Act>
void repeat_warm(benchmark::State& state, Act act) {
    for (int i = 0; i < 4; ++i)
        act();
    for (auto _ : state)
        act();
}

void map_chunksize_1(benchmark::State& state) {
    mp::Pool pool(workers);
    const auto xs = bench::numbers(500'000);
    repeat_warm(state, [&] {
        benchmark::DoNotOptimize(pool.map(bench::identity, xs, {.chunksize = 1}));
    });
    count_items(state, xs.size());
}

void map_default_chunks(benchmark::State& state) {
    mp::Pool pool(workers);
    const auto xs = bench::numbers(2'000'000);
    repeat_warm(state, [&] { benchmark::DoNotOptimize(pool.map(bench::identity, xs)); });
    count_items(state, xs.size());
}

template <class Open>
auto stream_of_results(Open open) {
    return [=](benchmark::State& state) {
        mp::Pool pool(workers);
        const auto xs = bench::numbers(200'000);
        repeat_warm(state, [&] {
            for (const int result : open(pool, xs))
                benchmark::DoNotOptimize(result);
        });
        count_items(state, xs.size());
    };
}

void submit_and_wait(benchmark::State& state) {
    mp::futures::ProcessPoolExecutor executor(workers);
    repeat_warm(state, [&] {
        benchmark::DoNotOptimize(executor.submit(bench::identity, 1).result());
    });
}

void apply_back_to_back(benchmark::State& state) {
    mp::Pool pool(workers);
    repeat_warm(
        state, [&] { benchmark::DoNotOptimize(pool.apply(bench::identity, mp::args(1))); });
}

void raw_pipe_ping_pong(benchmark::State& state) {
    bench::stream_echo echo(1, ::pipe);
    for (auto _ : state)
        echo.round_trip();
}

/// What no call can undercut, since it waits for another processor to see a word and to answer.
void raw_ring_ping_pong(benchmark::State& state) {
    bench::ring_echo echo([] {});
    for (auto _ : state)
        echo.round_trip();
}

/// So many, whatever the time asked for: that would count the microseconds, not the sleep before them.
constexpr int from_idle_turns = 500;

/// `act` after everybody had time to fall asleep.
template <class Act>
void from_idle(benchmark::State& state, Act act) {
    std::vector<double> seconds;
    for (auto _ : state) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const auto start = bench::clock_type::now();
        act();
        seconds.push_back(bench::seconds_since(start));
        state.SetIterationTime(seconds.back());
    }
    bench::report_median(state, seconds);
}

void apply_from_idle(benchmark::State& state) {
    mp::Pool pool(workers);
    from_idle(state, [&] { benchmark::DoNotOptimize(pool.apply(bench::identity, mp::args(1))); });
}

/// A call without a pool: one process, which nobody replaces, and one caller.
void call_from_idle(benchmark::State& state) {
    bench::ring_caller caller;
    from_idle(state, [&] { benchmark::DoNotOptimize(caller.call(bench::identity, 1)); });
}

void raw_eventfd_from_idle(benchmark::State& state) {
    bench::eventfd_echo echo;
    from_idle(state, [&] { echo.round_trip(); });
}

constexpr std::size_t large_bytes = 8 << 20;

void count_bytes(benchmark::State& state) {
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(large_bytes));
}

template <class Function>
auto apply_to_many(Function last_of) {
    return [=](benchmark::State& state) {
        mp::Pool pool(workers);
        const std::vector<double> values(large_bytes / sizeof(double), 1.5);
        repeat_warm(state, [&] {
            benchmark::DoNotOptimize(pool.apply(last_of, mp::args(std::span(values))));
        });
        count_bytes(state);
    };
}

/// The least of a task that reads what the caller has: one copy into memory that both share, a word
/// there and back. `work(shared)` is what the other side does with it.
template <class Work>
auto raw_copy(Work work) {
    return [=](benchmark::State& state) {
        const std::vector<double> values(large_bytes / sizeof(double), 1.5);
        const bench::shared_memory memory(large_bytes);
        auto* const shared = static_cast<double*>(memory.data());
        bench::ring_echo echo([&] { work(shared); });
        repeat_warm(state, [&] {
            std::memcpy(shared, values.data(), large_bytes);
            echo.round_trip();
        });
        count_bytes(state);
    };
}

void read_last(const double* shared) {
    benchmark::DoNotOptimize(shared[large_bytes / sizeof(double) - 1]);
}
/// A vector of one's own is a second copy, into memory that is new each time as the argument's is.
void copy_out(const double* shared) {
    const std::vector<double> values(shared, shared + large_bytes / sizeof(double));
    benchmark::DoNotOptimize(values.data());
}

constexpr int many_workers = 64;

/// Tells how many processes have come to run.
class arrivals {
public:
    arrivals() { bench::require(::pipe(ends_.data()) == 0); }
    arrivals(const arrivals&) = delete;
    arrivals& operator=(const arrivals&) = delete;
    ~arrivals() {
        ::close(ends_[0]);
        if (ends_[1] >= 0)
            ::close(ends_[1]);
    }

    static void arrive(int end) { bench::require(::write(end, "", 1) == 1); }
    int end() const { return ends_[1]; }
    /// All that were started have the writing end: one that failed is told from one that is slow.
    void wait_for(int processes) {
        ::close(std::exchange(ends_[1], -1));
        for (char byte = 0; processes > 0; --processes)
            bench::require(::read(ends_[0], &byte, 1) == 1);
    }

private:
    std::array<int, 2> ends_{};
};

/// Until each of them runs, not only until each has been asked for.
void start_many_workers(benchmark::State& state) {
    for (auto _ : state) {
        arrivals running;
        const auto start = bench::clock_type::now();
        mp::Pool pool(many_workers, {.initializer = {arrivals::arrive, mp::args(running.end())}});
        running.wait_for(many_workers);
        state.SetIterationTime(bench::seconds_since(start));
    }
}

void raw_many_forks(benchmark::State& state) {
    for (auto _ : state) {
        arrivals running;
        std::vector<::pid_t> children;
        const auto start = bench::clock_type::now();
        for (int i = 0; i < many_workers; ++i)
            children.push_back(bench::forked([&] { arrivals::arrive(running.end()); }));
        running.wait_for(many_workers);
        state.SetIterationTime(bench::seconds_since(start));
        for (const ::pid_t child : children)
            bench::wait_for(child);
    }
}

void promised_many_forks(benchmark::State& state) {
    for (auto _ : state) {
        arrivals running;
        const auto start = bench::clock_type::now();
        bench::promised_workers children;
        bench::flush_streams();
        for (int i = 0; i < many_workers; ++i)
            children.start([&] { arrivals::arrive(running.end()); });
        running.wait_for(many_workers);
        state.SetIterationTime(bench::seconds_since(start));
    }
}

void map_many_workers(benchmark::State& state) {
    mp::Pool pool(many_workers);
    const auto xs = bench::numbers(200'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(bench::identity, xs, {.chunksize = 1}));
    count_items(state, xs.size());
}

void add() {
    bench::contender("map_chunksize_1", bench::ours, map_chunksize_1);
    bench::contender("map_default_chunks", bench::ours, map_default_chunks);
    bench::contender("imap", bench::ours, stream_of_results([](mp::Pool& pool, const auto& xs) {
                         return pool.imap(bench::identity, xs);
                     }));
    bench::contender("imap_unordered", bench::ours,
                     stream_of_results([](mp::Pool& pool, const auto& xs) {
                         return pool.imap_unordered(bench::identity, xs);
                     }));
    bench::contender("futures_submit_result", bench::ours, submit_and_wait);
    bench::contender("map_64_workers", bench::ours, map_many_workers);
    bench::contender("apply_back_to_back", bench::ours, apply_back_to_back);
    bench::contender("apply_back_to_back", bench::limit, raw_pipe_ping_pong);
    bench::contender("apply_back_to_back", "raw ring", raw_ring_ping_pong);
    bench::self_timed("apply_from_idle", bench::ours, apply_from_idle)->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle", bench::limit, raw_eventfd_from_idle)
        ->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle_by_hand", bench::ours, apply_from_idle)
        ->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle_by_hand", bench::limit, call_from_idle)
        ->Iterations(from_idle_turns);
    bench::contender("apply_8MiB_vector", bench::ours, apply_to_many(last));
    bench::contender("apply_8MiB_vector", bench::limit, raw_copy(copy_out));
    bench::contender("apply_8MiB_span", bench::ours, apply_to_many(last_of_span));
    bench::contender("apply_8MiB_span", bench::limit, raw_copy(read_last));
    bench::self_timed("start_64_workers", bench::ours, start_many_workers);
    bench::self_timed("start_64_workers", bench::limit, raw_many_forks);
    bench::self_timed("start_64_workers_promised", bench::ours, start_many_workers);
    bench::self_timed("start_64_workers_promised", bench::limit, promised_many_forks);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
