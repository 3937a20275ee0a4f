// SPDX-License-Identifier: MIT
// What it costs to start a process and to join it, beside the plain system calls. Each round makes
// both in turn, so that both see the same machine; the second is the counter "raw_us".
#include <multiprocessing/process.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mp = multiprocessing;

namespace {

using clock_type = std::chrono::steady_clock;

void nothing() {}

void wait_for(::pid_t pid) {
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0)
        std::abort();
}

void start_and_join(const char* method) {
    mp::Process p(nothing, {.start_method = method});
    p.start();
    p.join();
    if (p.exitcode() != 0)
        std::abort();
}

void raw_fork() {
    const ::pid_t pid = ::fork();
    if (pid == 0)
        ::_exit(0);
    wait_for(pid);
}

/// This program again, which ends at once: see main.
void raw_spawn() {
    char* arguments[] = {const_cast<char*>("/proc/self/exe"), const_cast<char*>("--end-at-once"),
                         nullptr};
    ::pid_t pid = 0;
    if (::posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments, ::environ) != 0)
        std::abort();
    wait_for(pid);
}

double median_us(std::vector<double>& seconds) {
    const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
    std::nth_element(seconds.begin(), middle, seconds.end());
    return *middle * 1e6;
}

template <class Act>
double seconds_of(Act act) {
    const auto start = clock_type::now();
    act();
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// Measures both in turn; "ratio" is of the medians, which a busy machine disturbs least.
template <class Ours, class Raw>
void compare(benchmark::State& state, Ours ours, Raw raw) {
    std::vector<double> with;
    std::vector<double> without;
    for (auto _ : state) {
        with.push_back(seconds_of(ours));
        without.push_back(seconds_of(raw));
        state.SetIterationTime(with.back());
    }
    const double ours_us = median_us(with);
    const double raw_us = median_us(without);
    state.counters["ours_us"] = ours_us;
    state.counters["raw_us"] = raw_us;
    state.counters["ratio"] = ours_us / raw_us;
}

void fork_and_join(benchmark::State& state) {
    const std::vector<char> resident(static_cast<std::size_t>(state.range(0)) << 20, 1);
    benchmark::DoNotOptimize(resident.data());
    compare(
        state, [] { start_and_join("fork"); }, raw_fork);
}
BENCHMARK(fork_and_join)->Arg(0)->Arg(256)->ArgName("resident_MiB")->UseManualTime()->MinTime(2);

void spawn_and_join(benchmark::State& state) {
    compare(
        state, [] { start_and_join("spawn"); }, raw_spawn);
}
BENCHMARK(spawn_and_join)->UseManualTime()->MinTime(2);

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    if (argc == 2 && std::string_view(argv[1]) == "--end-at-once")
        return 0;
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
