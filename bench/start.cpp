// SPDX-License-Identifier: MIT
// What it costs to start a process and to join it, also from a parent of 2 GiB.
#include <multiprocessing/context.hpp>
#include <multiprocessing/process.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <unistd.h>

namespace {

namespace mp = multiprocessing;

void nothing() {}

void start_and_join(const std::string& method) {
    mp::Process process(nothing, {.start_method = method});
    process.start();
    process.join();
    bench::require(process.exitcode() == 0);
}

void raw_fork() {
    bench::wait_for(bench::forked([] {}));
}

/// This program again, which ends at once: see main.
void raw_spawn() {
    bench::wait_for(bench::spawned({"/proc/self/exe", "--end-at-once"}));
}

/// `start` over and over, in a parent that has `bytes` of its own.
template <class Start>
auto repeated(std::size_t bytes, Start start) {
    return [=](benchmark::State& state) {
        const bench::resident memory(bytes);
        start();  // The first one finds cold caches, and the fork server not started yet.
        bench::time_each(state, start);
    };
}

bool exists(const std::string& method) {
    const std::vector<std::string> all = mp::get_all_start_methods();
    return std::find(all.begin(), all.end(), method) != all.end();
}

void add_ours(const std::string& job, const std::string& method, std::size_t bytes) {
    if (exists(method))
        bench::contender(job, bench::ours, repeated(bytes, [method] { start_and_join(method); }));
}

void add() {
    add_ours("start_fork", "fork", 0);
    bench::contender("start_fork", bench::limit, repeated(0, raw_fork));

    add_ours("start_forkserver", "forkserver", 0);
    bench::contender("start_forkserver", bench::limit, repeated(0, raw_fork));

    add_ours("start_spawn", "spawn", 0);
    bench::contender("start_spawn", bench::limit, repeated(0, raw_spawn));

    add_ours("start_forkserver_2GiB", "forkserver", bench::two_GiB);
    bench::contender("start_forkserver_2GiB", "raw fork", repeated(bench::two_GiB, raw_fork));

    add_ours("start_spawn_2GiB", "spawn", bench::two_GiB);
    bench::contender("start_spawn_2GiB", bench::limit, repeated(bench::two_GiB, raw_spawn));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--end-at-once")
        return 0;
    return bench::run_contenders(argc, argv, add);
}
