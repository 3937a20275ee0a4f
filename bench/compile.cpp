// SPDX-License-Identifier: MIT
// What a header costs who includes it: the compiler's seconds of processor time and its memory, at
// -O0, for a file that does nothing else.
#include "support/contender.hpp"
#include "support/raw.hpp"

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// Compiles a file that includes the header and has nothing else; returns what the compiler and all
/// it started used.
::rusage compile(const std::string& header) {
    std::vector<const char*> words{
        MULTIPROCESSING_BENCH_COMPILER, "-std=c++20", "-O0", "-c", "-o", "/dev/null", "-I",
        MULTIPROCESSING_BENCH_INCLUDE};
    // Named again, the compiler's own folder would come before those it has to come after.
    if (std::string_view(MULTIPROCESSING_BENCH_BOOST_INCLUDE) != "/usr/include")
        words.insert(words.end(), {"-isystem", MULTIPROCESSING_BENCH_BOOST_INCLUDE});
    words.insert(words.end(), {"-include", header.c_str(), "-x", "c++", "/dev/null"});
    const ::pid_t pid = bench::spawned(words);
    int status = 0;
    ::rusage used{};
    bench::require(::wait4(pid, &status, 0, &used) == pid && status == 0);
    return used;
}

double seconds(const ::timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

auto including(const std::string& header) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            const ::rusage used = compile(header);
            state.SetIterationTime(seconds(used.ru_utime) + seconds(used.ru_stime));
            state.counters["bytes"] = static_cast<double>(used.ru_maxrss) * 1024;
        }
    };
}

void add_header(const std::string& job, const std::string& who, const std::string& header) {
    bench::self_timed(job, who, including(header))->Iterations(1);
}

void add() {
    std::istringstream headers(MULTIPROCESSING_BENCH_HEADERS);
    for (std::string name; headers >> name;)
        add_header("compile_" + name, bench::ours, "multiprocessing/" + name + ".hpp");
    for (const char* job : {"compile_process", "compile_multiprocessing"})
        add_header(job, bench::limit, "thread");
    for (const char* job : {"compile_process", "compile_multiprocessing", "compile_subprocess"})
        add_header(job, "Boost.Process", "boost/process.hpp");
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
