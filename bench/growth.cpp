// SPDX-License-Identifier: MIT
// How time grows with the number of tasks and of processes: it should be in step with them.
#include <multiprocessing/multiprocessing.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"
#include "support/tasks.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

namespace mp = multiprocessing;

auto tasks(std::size_t count) {
    return [=](benchmark::State& state) {
        mp::Pool pool(2);
        const auto xs = bench::numbers(count);
        for (auto _ : state)
            benchmark::DoNotOptimize(pool.map(bench::identity, xs, {.chunksize = 1}));
    };
}

auto processes(std::size_t count) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            std::vector<mp::Process> all;
            for (std::size_t i = 0; i < count; ++i) {
                all.emplace_back(bench::nothing);
                all.back().start();
            }
            for (auto& process : all)
                process.join();
        }
    };
}

auto raw_processes(std::size_t count) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            std::vector<::pid_t> all;
            for (std::size_t i = 0; i < count; ++i)
                all.push_back(bench::forked([] {}));
            for (const ::pid_t pid : all)
                bench::wait_for(pid);
        }
    };
}

void add() {
    for (std::size_t count = 1; count <= 1'000'000; count *= 10)
        bench::contender("growth_tasks_" + std::to_string(count), bench::ours, tasks(count));
    for (std::size_t count = 1; count <= 1'000; count *= 10) {
        const std::string job = "growth_processes_" + std::to_string(count);
        bench::contender(job, bench::ours, processes(count));
        bench::contender(job, bench::limit, raw_processes(count));
    }
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
