// SPDX-License-Identifier: MIT
// How a program of bench/ names what it measures: a job, and who does it. The runner pairs those of
// one job across programs and Python's; "ours" and "limit" are the names it knows.
#pragma once

#include "raw.hpp"

#include <multiprocessing/spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

namespace bench {

/// Who does a job: this library, or plain system calls, which show what the machine allows.
inline constexpr const char* ours = "ours";
inline constexpr const char* limit = "limit";

/// Adds one who does a job, timed by the clock. `run(state)` is called with the benchmark's state.
template <class Run>
benchmark::internal::Benchmark* contender(const std::string& job, const std::string& who, Run run) {
    const std::string name = job + "/" + who;
    return benchmark::RegisterBenchmark(name.c_str(), std::move(run))->UseRealTime();
}

/// The same where `run` times itself: it calls `state.SetIterationTime(seconds)`.
template <class Run>
benchmark::internal::Benchmark* self_timed(const std::string& job, const std::string& who,
                                           Run run) {
    const std::string name = job + "/" + who;
    return benchmark::RegisterBenchmark(name.c_str(), std::move(run))->UseManualTime();
}

inline void report_median(benchmark::State& state, std::vector<double>& seconds) {
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    state.counters["median"] = *middle;
}

/// Times every turn of `act` by itself and reports the median, which a busy machine disturbs least:
/// for what takes microseconds at least.
template <class Act>
void time_each(benchmark::State& state, Act act) {
    std::vector<double> seconds;
    for (auto _ : state) {
        const auto start = std::chrono::steady_clock::now();
        act();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        seconds.push_back(taken.count());
    }
    report_median(state, seconds);
}

/// `act` over and over, in a parent that has `resident_bytes` of its own.
template <class Act>
auto repeated(std::size_t resident_bytes, Act act) {
    return [=](benchmark::State& state) {
        const resident memory(resident_bytes);
        act();  // The first one finds cold caches, and the fork server not started yet.
        time_each(state, act);
    };
}

/// Runs the contenders that `add` registers, as the command line says; for main to return.
template <class Add>
int run_contenders(int argc, char** argv, Add add) {
    multiprocessing::freeze_support(argc, argv);
    add();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return EXIT_FAILURE;
    benchmark::RunSpecifiedBenchmarks();
    return EXIT_SUCCESS;
}

}  // namespace bench
