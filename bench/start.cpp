// SPDX-License-Identifier: MIT
// What it costs to start a process and to join it, also from a parent of 2 GiB.
#include <multiprocessing/context.hpp>
#include <multiprocessing/process.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"
#include "support/tasks.hpp"

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <cxxabi.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio_ext.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

/// A fork by hand that keeps what the library promises: the child dies with its parent, has no
/// input, none of the parent's exit handlers and output, flushes its own, and is waited for by a
/// descriptor.
class promised_fork {
public:
    static void run() {
        int tie[2];
        bench::require(::pipe2(tie, O_CLOEXEC) == 0);
        flush();
        const ::pid_t pid = bench::forked([&] { live(tie); });
        const int child = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
        ::close(tie[0]);
        wait_for(child);
        ::close(child);
        ::close(tie[1]);
    }

private:
    static void live(const int (&tie)[2]) {
        ::close(tie[1]);
        bench::require(::fcntl(tie[0], F_SETSIG, SIGKILL) == 0 &&
                       ::fcntl(tie[0], F_SETOWN, ::getpid()) == 0 &&
                       ::fcntl(tie[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
        ::pollfd gone{tie[0], POLLIN, 0};
        bench::require(::poll(&gone, 1, 0) == 0);
        std::atexit([] {
            flush();
            ::_exit(0);
        });
        for (std::FILE* const file : {stdin, stdout, stderr})
            ::__fpurge(file);
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::dup2(nothing, 0);
        ::close(nothing);
        abi::__cxa_finalize(nullptr);  // Meets the handler above first.
    }
    static void flush() {
        for (std::ostream* const stream : {&std::cout, &std::cerr, &std::clog})
            stream->rdbuf()->pubsync();
        std::fflush(stdout);
        std::fflush(stderr);
    }
    static void wait_for(int child) {
        ::pollfd ended{child, POLLIN, 0};
        bench::require(::poll(&ended, 1, -1) == 1);
        ::siginfo_t info{};
        bench::require(::waitid(P_PIDFD, static_cast<::id_t>(child), &info, WEXITED) == 0);
    }
};

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
    bench::contender("start_fork_promised", bench::limit, bench::repeated(0, promised_fork::run));

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
