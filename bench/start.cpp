// SPDX-License-Identifier: MIT
// What it costs to start a process and to join it, also from a parent of 2 GiB.
#include <multiprocessing/context.hpp>
#include <multiprocessing/process.hpp>

#include "support/contender.hpp"
#include "support/promised_fork.hpp"
#include "support/raw.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

namespace mp = multiprocessing;

void start_and_join(const std::string& method) {
    mp::Process process(bench::nothing, {.start_method = method});
    process.start();
    process.join();
    bench::require(process.exitcode() == 0);
}

void raw_fork() {
    bench::wait_for(bench::forked([] {}));
}

void promised_fork() {
    bench::flush_streams();
    bench::require(bench::promised_fork([](int) {}).join() == 0);
}

/// This program again, which ends at once: see main.
void raw_spawn() {
    bench::wait_for(bench::spawned({"/proc/self/exe", "--end-at-once"}));
}

bool exists(const std::string& method) {
    const std::vector<std::string> all = mp::get_all_start_methods();
    return std::find(all.begin(), all.end(), method) != all.end();
}

void add_ours(const std::string& job, const std::string& method, std::size_t bytes) {
    if (exists(method))
        bench::contender(job, bench::ours,
                         bench::repeated(bytes, [method] { start_and_join(method); }));
}

void add() {
    add_ours("start_fork", "fork", 0);
    bench::contender("start_fork", bench::limit, bench::repeated(0, raw_fork));
    add_ours("start_fork_promised", "fork", 0);
    bench::contender("start_fork_promised", bench::limit, bench::repeated(0, promised_fork));

    add_ours("start_forkserver", "forkserver", 0);
    bench::contender("start_forkserver", bench::limit, bench::repeated(0, raw_fork));

    add_ours("start_spawn", "spawn", 0);
    bench::contender("start_spawn", bench::limit, bench::repeated(0, raw_spawn));

    // Its cost depends on its parent, unlike that of the two below.
    add_ours("start_fork_2GiB", "fork", bench::two_GiB);
    bench::contender("start_fork_2GiB", bench::limit, bench::repeated(bench::two_GiB, raw_fork));

    add_ours("start_forkserver_2GiB", "forkserver", bench::two_GiB);

    add_ours("start_spawn_2GiB", "spawn", bench::two_GiB);
    bench::contender("start_spawn_2GiB", bench::limit, bench::repeated(bench::two_GiB, raw_spawn));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--end-at-once")
        return 0;
    return bench::run_contenders(argc, argv, add);
}
