// SPDX-License-Identifier: MIT
// How much memory a task takes that waits for its worker, and a queue that has been used.
#include <multiprocessing/multiprocessing.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"
#include "support/tasks.hpp"

#include <cstddef>
#include <cstdio>
#include <type_traits>
#include <vector>

#include <benchmark/benchmark.h>

#include <signal.h>
#include <unistd.h>

namespace {

namespace mp = multiprocessing;

/// What of this process is in the machine's memory, shared memory that it touched included.
double resident_bytes() {
    std::FILE* const file = std::fopen("/proc/self/statm", "r");
    bench::require(file != nullptr);
    long all = 0;
    long resident = 0;
    bench::require(std::fscanf(file, "%ld %ld", &all, &resident) == 2);
    std::fclose(file);
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void report(benchmark::State& state, double bytes, int count) {
    state.counters["bytes"] = bytes / count;
}

/// The only worker is stopped while `count` tasks queue up for it. What the caller keeps of each,
/// its AsyncResult, is the caller's and not counted.
void outstanding_tasks(benchmark::State& state) {
    constexpr int count = 1'000'000;
    for (auto _ : state) {
        mp::Pool pool(1);
        const auto first = pool.apply_async(bench::identity, mp::args(0));
        first.get();
        std::vector<std::decay_t<decltype(first)>> results(count, first);
        const double before = resident_bytes();
        const int worker = pool.worker_pids().front();
        bench::require(::kill(worker, SIGSTOP) == 0);
        for (auto& result : results)
            result = pool.apply_async(bench::identity, mp::args(1));
        report(state, resident_bytes() - before, count);
        bench::require(::kill(worker, SIGCONT) == 0);
        results.back().get();
    }
}

void queues(benchmark::State& state) {
    constexpr int count = 200;
    for (auto _ : state) {
        std::vector<mp::Queue<int>> queues;
        queues.reserve(count);
        const double before = resident_bytes();
        for (int i = 0; i < count; ++i) {
            queues.emplace_back();
            queues.back().put(i);
            queues.back().get();
        }
        report(state, resident_bytes() - before, count);
    }
}

void add() {
    bench::contender("memory_outstanding_task", bench::ours, outstanding_tasks)->Iterations(1);
    bench::contender("memory_queue", bench::ours, queues)->Iterations(1);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
