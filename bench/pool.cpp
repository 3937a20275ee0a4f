// SPDX-License-Identifier: MIT
// What a pool does with many small tasks, with one task at a time, and with large arguments.
#include <multiprocessing/multiprocessing.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"
#include "support/ring_call.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include <unistd.h>

namespace {

namespace mp = multiprocessing;

constexpr int workers = 2;

int identity(int x) {
    return x;
}

double last(const std::vector<double>& xs) {
    return xs.back();
}
double last_of_span(std::span<const double> xs) {
    return xs.back();
}

std::vector<int> numbers(std::size_t count) {
    std::vector<int> xs(count);
    std::iota(xs.begin(), xs.end(), 0);
    return xs;
}

void count_items(benchmark::State& state, std::size_t each) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void map_chunksize_1(benchmark::State& state) {
    mp::Pool pool(workers);
    const auto xs = numbers(500'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(identity, xs, {.chunksize = 1}));
    count_items(state, xs.size());
}

void map_default_chunks(benchmark::State& state) {
    mp::Pool pool(workers);
    const auto xs = numbers(2'000'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(identity, xs));
    count_items(state, xs.size());
}

template <class Open>
auto stream_of_results(Open open) {
    return [=](benchmark::State& state) {
        mp::Pool pool(workers);
        const auto xs = numbers(200'000);
        for (auto _ : state)
            for (const int result : open(pool, xs))
                benchmark::DoNotOptimize(result);
        count_items(state, xs.size());
    };
}

void submit_and_wait(benchmark::State& state) {
    mp::futures::ProcessPoolExecutor executor(workers);
    for (auto _ : state)
        benchmark::DoNotOptimize(executor.submit(identity, 1).result());
}

void apply_back_to_back(benchmark::State& state) {
    mp::Pool pool(workers);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.apply(identity, mp::args(1)));
}

void raw_pipe_ping_pong(benchmark::State& state) {
    bench::stream_echo echo(1, ::pipe);
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
    from_idle(state, [&] { benchmark::DoNotOptimize(pool.apply(identity, mp::args(1))); });
}

/// A call without a pool: one process, which nobody replaces, and one caller.
void call_from_idle(benchmark::State& state) {
    bench::ring_caller caller;
    from_idle(state, [&] { benchmark::DoNotOptimize(caller.call(identity, 1)); });
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
        for (auto _ : state)
            benchmark::DoNotOptimize(pool.apply(last_of, mp::args(std::span(values))));
        count_bytes(state);
    };
}

void raw_copy(benchmark::State& state) {
    const std::vector<double> from(large_bytes / sizeof(double), 1.5);
    std::vector<double> to(from.size());
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), large_bytes);
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
    }
    count_bytes(state);
}

constexpr int many_workers = 64;

void start_many_workers(benchmark::State& state) {
    for (auto _ : state) {
        const auto start = bench::clock_type::now();
        mp::Pool pool(many_workers);
        state.SetIterationTime(bench::seconds_since(start));
    }
}

void raw_many_forks(benchmark::State& state) {
    for (auto _ : state) {
        std::vector<::pid_t> children;
        const auto start = bench::clock_type::now();
        for (int i = 0; i < many_workers; ++i)
            children.push_back(bench::forked([] {}));
        state.SetIterationTime(bench::seconds_since(start));
        for (const ::pid_t child : children)
            bench::wait_for(child);
    }
}

void map_many_workers(benchmark::State& state) {
    mp::Pool pool(many_workers);
    const auto xs = numbers(200'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(identity, xs, {.chunksize = 1}));
    count_items(state, xs.size());
}

void add() {
    bench::contender("map_chunksize_1", bench::ours, map_chunksize_1);
    bench::contender("map_default_chunks", bench::ours, map_default_chunks);
    bench::contender("imap", bench::ours, stream_of_results([](mp::Pool& pool, const auto& xs) {
                         return pool.imap(identity, xs);
                     }));
    bench::contender("imap_unordered", bench::ours,
                     stream_of_results([](mp::Pool& pool, const auto& xs) {
                         return pool.imap_unordered(identity, xs);
                     }));
    bench::contender("futures_submit_result", bench::ours, submit_and_wait);
    bench::contender("map_64_workers", bench::ours, map_many_workers);
    bench::contender("apply_back_to_back", bench::ours, apply_back_to_back);
    bench::contender("apply_back_to_back", bench::limit, raw_pipe_ping_pong);
    bench::self_timed("apply_from_idle", bench::ours, apply_from_idle)->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle", bench::limit, raw_eventfd_from_idle)
        ->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle_by_hand", bench::ours, apply_from_idle)
        ->Iterations(from_idle_turns);
    bench::self_timed("apply_from_idle_by_hand", bench::limit, call_from_idle)
        ->Iterations(from_idle_turns);
    bench::contender("apply_8MiB_vector", bench::ours, apply_to_many(last));
    bench::contender("apply_8MiB_vector", bench::limit, raw_copy);
    bench::contender("apply_8MiB_span", bench::ours, apply_to_many(last_of_span));
    bench::contender("apply_8MiB_span", bench::limit, raw_copy);
    bench::self_timed("start_64_workers", bench::ours, start_many_workers);
    bench::self_timed("start_64_workers", bench::limit, raw_many_forks);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
