// SPDX-License-Identifier: MIT
// Pool: tasks a second and the way there and back, beside a ping-pong of two raw pipes.
#include <multiprocessing/multiprocessing.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <ranges>
#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

int identity(int x) {
    return x;
}

std::vector<int> numbers(std::size_t count) {
    std::vector<int> xs(count);
    std::iota(xs.begin(), xs.end(), 0);
    return xs;
}

void map_chunksize_1(benchmark::State& state) {
    mp::Pool pool(static_cast<int>(state.range(0)));
    const auto xs = numbers(1'000'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(identity, xs, {.chunksize = 1}));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(xs.size()));
}

void map_default_chunks(benchmark::State& state) {
    mp::Pool pool(static_cast<int>(state.range(0)));
    const auto xs = numbers(10'000'000);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.map(identity, xs));
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(xs.size()));
}

void imap_chunksize_1(benchmark::State& state) {
    mp::Pool pool(2);
    std::int64_t count = 0;
    for (auto results = pool.imap(identity, std::views::iota(0)); auto _ : state) {
        benchmark::DoNotOptimize(results.next());
        ++count;
    }
    state.SetItemsProcessed(count);
}

void imap_unordered_chunksize_1(benchmark::State& state) {
    mp::Pool pool(2);
    std::int64_t count = 0;
    for (auto results = pool.imap_unordered(identity, std::views::iota(0)); auto _ : state) {
        benchmark::DoNotOptimize(results.next());
        ++count;
    }
    state.SetItemsProcessed(count);
}

void apply_async_get(benchmark::State& state) {
    mp::Pool pool(2);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.apply_async(identity, mp::args(1)).get());
}

void apply_round_trip(benchmark::State& state) {
    mp::Pool pool(2);
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.apply(identity, mp::args(1)));
}

void apply_8_MiB(benchmark::State& state) {
    mp::Pool pool(2);
    const std::vector<double> values(1 << 20, 1.5);
    for (auto _ : state)
        benchmark::DoNotOptimize(
            pool.apply([](const std::vector<double>& xs) { return xs.back(); }, mp::args(values)));
    state.SetBytesProcessed(state.iterations() * (8 << 20));
}

/// The limit to compare with: one byte to a child and back, by system calls alone.
void raw_pipe_ping_pong(benchmark::State& state) {
    mp::detail::pipe_ends there;
    mp::detail::pipe_ends back;
    mp::detail::throw_if_error(mp::detail::open_pipe(there), "open a pipe");
    mp::detail::throw_if_error(mp::detail::open_pipe(back), "open a pipe");
    mp::Process echo(
        [&] {
            std::array<std::byte, 1> byte{};
            std::size_t count = 1;
            there.writer.reset();
            while (!mp::detail::read_some(there.reader.get(), byte, count) && count == 1)
                if (mp::detail::write_all(back.writer.get(), byte))
                    return;
        },
        {.start_method = "fork"});
    echo.start();
    std::array<std::byte, 1> byte{};
    std::size_t count = 0;
    for (auto _ : state) {
        if (mp::detail::write_all(there.writer.get(), byte) ||
            mp::detail::read_some(back.reader.get(), byte, count))
            state.SkipWithError("the pipe broke");
    }
    there.writer.reset();
    echo.join();
}

BENCHMARK(map_chunksize_1)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(map_default_chunks)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(imap_chunksize_1)->UseRealTime();
BENCHMARK(imap_unordered_chunksize_1)->UseRealTime();
BENCHMARK(apply_async_get)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(apply_round_trip)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(raw_pipe_ping_pong)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(apply_8_MiB)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
