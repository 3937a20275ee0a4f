// SPDX-License-Identifier: MIT
// What a program costs to start, and its output to read, beside the plain system calls.
#include <multiprocessing/subprocess.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sp = multiprocessing::subprocess;

namespace {

constexpr std::size_t read_bytes = 64U << 20;

/// Memory that a fork would have to copy the tables of.
class resident {
public:
    explicit resident(std::size_t bytes) : bytes_(bytes) {
        if (bytes_ == 0)
            return;
        memory_ =
            ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory_ == MAP_FAILED)
            std::abort();
        std::memset(memory_, 1, bytes_);
    }
    resident(const resident&) = delete;
    resident& operator=(const resident&) = delete;
    ~resident() {
        if (bytes_ != 0)
            ::munmap(memory_, bytes_);
    }

private:
    std::size_t bytes_;
    void* memory_ = nullptr;
};

void wait_for(pid_t pid) {
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || status != 0)
        std::abort();
}

char* true_arguments[] = {const_cast<char*>("/bin/true"), nullptr};

void raw_posix_spawn() {
    pid_t pid = 0;
    if (::posix_spawn(&pid, true_arguments[0], nullptr, nullptr, true_arguments, ::environ) != 0)
        std::abort();
    wait_for(pid);
}

void raw_fork_exec() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::execve(true_arguments[0], true_arguments, ::environ);
        ::_exit(127);
    }
    wait_for(pid);
}

void call_true() {
    if (sp::call({"/bin/true"}) != 0)
        std::abort();
}

void start(benchmark::State& state, void (*once)()) {
    const resident memory(static_cast<std::size_t>(state.range(0)) << 20);
    for (auto _ : state)
        once();
}

const char* const writer = "head -c 67108864 /dev/zero";

/// What a program would do by hand: read into a buffer until the end of file.
void raw_read(benchmark::State& state, bool keep) {
    for (auto _ : state) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0)
            std::abort();
        ::posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        char* arguments[] = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                             const_cast<char*>(writer), nullptr};
        pid_t pid = 0;
        if (::posix_spawn(&pid, "/bin/sh", &actions, nullptr, arguments, ::environ) != 0)
            std::abort();
        ::posix_spawn_file_actions_destroy(&actions);
        ::close(ends[1]);
        const auto buffer = std::make_unique<char[]>(65536);
        std::string text;
        std::size_t total = 0;
        for (ssize_t n = 0; (n = ::read(ends[0], buffer.get(), 65536)) > 0;) {
            total += static_cast<std::size_t>(n);
            if (keep)
                text.append(buffer.get(), static_cast<std::size_t>(n));
        }
        ::close(ends[0]);
        wait_for(pid);
        if (total != read_bytes)
            std::abort();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(read_bytes));
}

void check_output_read(benchmark::State& state) {
    for (auto _ : state)
        if (sp::check_output(writer, {.shell = true}).size() != read_bytes)
            std::abort();
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(read_bytes));
}

void popen_read(benchmark::State& state) {
    const auto buffer = std::make_unique<std::byte[]>(65536);
    for (auto _ : state) {
        sp::Popen process(writer, {.stdout_ = sp::PIPE, .shell = true});
        std::size_t total = 0;
        while (const std::size_t n = process.stdout_.read_some(std::span(buffer.get(), 65536)))
            total += n;
        if (process.wait() != 0 || total != read_bytes)
            std::abort();
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(read_bytes));
}

/// On a shared machine the least of several runs says most.
double least(const std::vector<double>& times) {
    return *std::min_element(times.begin(), times.end());
}

void real_time(benchmark::internal::Benchmark* benchmark) {
    benchmark->UseRealTime()->ComputeStatistics("min", least)->Unit(benchmark::kMillisecond);
}

void resident_sizes(benchmark::internal::Benchmark* benchmark) {
    real_time(benchmark);
    benchmark->ArgName("resident_MiB")->Arg(0)->Arg(2048)->Unit(benchmark::kMicrosecond);
}

BENCHMARK_CAPTURE(start, call, call_true)->Apply(resident_sizes);
BENCHMARK_CAPTURE(start, posix_spawn, raw_posix_spawn)->Apply(resident_sizes);
BENCHMARK_CAPTURE(start, fork_exec, raw_fork_exec)->Apply(resident_sizes);

BENCHMARK(popen_read)->Apply(real_time);
BENCHMARK(check_output_read)->Apply(real_time);
BENCHMARK_CAPTURE(raw_read, dropped, false)->Apply(real_time);
BENCHMARK_CAPTURE(raw_read, kept, true)->Apply(real_time);

}  // namespace

BENCHMARK_MAIN();
