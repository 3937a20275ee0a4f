// SPDX-License-Identifier: MIT
// What a message through a queue costs, between processes of their own. The machine's noise is
// larger than most differences: compare lines of one run, and medians (--benchmark_repetitions=9).
#include <multiprocessing/process.hpp>
#include <multiprocessing/queues.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

namespace mp = multiprocessing;

using clock_type = std::chrono::steady_clock;
using kibibyte = std::array<std::uint64_t, 128>;
using block = std::vector<std::byte>;

template <class T>
void produce(mp::Queue<T> values, mp::Queue<int> go, long long count, const T& value) {
    go.get();
    for (long long i = 0; i < count; ++i)
        values.put(value);
}

template <class T>
void consume(mp::Queue<T> values, mp::Queue<int> go, mp::Queue<int> done, long long count) {
    go.get();
    for (long long i = 0; i < count; ++i)
        benchmark::DoNotOptimize(values.get());
    done.put(1);
}

/// `count` messages from `producers` processes to as many consumers; the seconds it took.
template <class T>
double stream(int pairs, long long count, long long maxsize, const T& value) {
    mp::Queue<T> values(maxsize);
    mp::Queue<int> go;
    mp::Queue<int> done;
    std::vector<mp::Process> processes;
    for (int i = 0; i < pairs; ++i) {
        processes.emplace_back([=] { produce(values, go, count / pairs, value); });
        processes.emplace_back([=] { consume(values, go, done, count / pairs); });
    }
    for (auto& process : processes)
        process.start();
    const auto start = clock_type::now();
    for (int i = 0; i < 2 * pairs; ++i)
        go.put(1);
    for (int i = 0; i < pairs; ++i)
        done.get();
    const std::chrono::duration<double> taken = clock_type::now() - start;
    for (auto& process : processes)
        process.join();
    return taken.count();
}

template <class T>
void messages(benchmark::State& state, const T& value, long long count, long long maxsize) {
    for (auto _ : state)
        state.SetIterationTime(stream(static_cast<int>(state.range(0)), count, maxsize, value));
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * count);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * count *
                            static_cast<std::int64_t>(mp::detail::encoded_size(value)));
}

BENCHMARK_CAPTURE(messages, int, 7, 4'000'000, 0)
    ->ArgName("pairs")
    ->Arg(1)
    ->Arg(4)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(messages, int_bounded, 7, 2'000'000, 1000)
    ->ArgName("pairs")
    ->Arg(1)
    ->Arg(4)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(messages, kibibyte, kibibyte{}, 2'000'000, 0)
    ->ArgName("pairs")
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(messages, kibibyte_bounded, kibibyte{}, 2'000'000, 1000)
    ->ArgName("pairs")
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(1);
BENCHMARK_CAPTURE(messages, mebibyte, block(1 << 20), 4'000, 2)
    ->ArgName("pairs")
    ->Arg(1)
    ->UseManualTime()
    ->Iterations(1);

void echo(mp::Queue<int> there, mp::Queue<int> back, long long count) {
    for (long long i = 0; i < count; ++i)
        back.put(there.get());
}

void round_trip(benchmark::State& state) {
    constexpr long long count = 20'000;
    for (auto _ : state) {
        mp::Queue<int> there;
        mp::Queue<int> back;
        mp::Process process(echo, mp::args(there, back, count));
        process.start();
        const auto start = clock_type::now();
        for (long long i = 0; i < count; ++i) {
            there.put(1);
            benchmark::DoNotOptimize(back.get());
        }
        const std::chrono::duration<double> taken = clock_type::now() - start;
        state.SetIterationTime(taken.count() / count);
        process.join();
    }
}
BENCHMARK(round_trip)->UseManualTime()->Iterations(1)->Unit(benchmark::kMicrosecond);

/// One process alone: what the queue's own instructions cost.
void put_and_get(benchmark::State& state) {
    mp::Queue<int> queue;
    for (auto _ : state) {
        queue.put(1);
        benchmark::DoNotOptimize(queue.get());
    }
}
BENCHMARK(put_and_get);

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
