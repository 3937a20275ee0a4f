// SPDX-License-Identifier: MIT
// How a program of bench/ names what it measures: a job, and who does it. The runner pairs those of
// one job across programs and Python's; "ours" and "limit" are the names it knows.
#pragma once

#include <multiprocessing/spawn.hpp>

#include <cstdlib>
#include <string>
#include <utility>

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
