// SPDX-License-Identifier: MIT
// What a program costs to start, also from a parent of 2 GiB, and its output to read.
#include <multiprocessing/subprocess.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <benchmark/benchmark.h>
#include <boost/process/child.hpp>
#include <boost/process/io.hpp>
#include <boost/process/system.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace {

namespace sp = multiprocessing::subprocess;

void call_true() {
    bench::require(sp::call({"/bin/true"}) == 0);
}

void boost_call_true() {
    bench::require(boost::process::system("/bin/true") == 0);
}

void raw_call_true() {
    bench::wait_for(bench::spawned({"/bin/true"}));
}

template <class Call>
auto repeated(std::size_t resident_bytes, Call call) {
    return [=](benchmark::State& state) {
        const bench::resident memory(resident_bytes);
        bench::time_each(state, call);
    };
}

constexpr std::size_t read_bytes = 64U << 20;
constexpr std::size_t buffer_bytes = 65536;
const char* const writer = "head -c 67108864 /dev/zero";

template <class Read>
auto reading(Read read) {
    return [=](benchmark::State& state) {
        for (auto _ : state)
            bench::require(read() == read_bytes);
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(read_bytes));
    };
}

/// `some(buffer)` returns how many bytes it read, 0 or less at the end.
template <class Some>
std::size_t read_all(Some some, std::string* kept) {
    const auto buffer = std::make_unique<char[]>(buffer_bytes);
    std::size_t total = 0;
    for (std::ptrdiff_t count = 0; (count = some(buffer.get())) > 0;) {
        total += static_cast<std::size_t>(count);
        if (kept != nullptr)
            kept->append(buffer.get(), static_cast<std::size_t>(count));
    }
    return total;
}

std::size_t raw_read(std::string* kept) {
    int ends[2];
    bench::require(::pipe2(ends, O_CLOEXEC) == 0);
    const ::pid_t pid = bench::spawned({"/bin/sh", "-c", writer}, ends[1]);
    ::close(ends[1]);
    const std::size_t total =
        read_all([&](char* buffer) { return ::read(ends[0], buffer, buffer_bytes); }, kept);
    ::close(ends[0]);
    bench::wait_for(pid);
    return total;
}
std::size_t raw_read_dropped() {
    return raw_read(nullptr);
}
std::size_t raw_read_kept() {
    std::string text;
    raw_read(&text);
    return text.size();
}

std::size_t popen_read() {
    sp::Popen process(writer, {.stdout_ = sp::PIPE, .shell = true});
    const std::size_t total = read_all(
        [&](char* buffer) {
            return static_cast<std::ptrdiff_t>(
                process.stdout_.read_some(std::as_writable_bytes(std::span(buffer, buffer_bytes))));
        },
        nullptr);
    bench::require(process.wait() == 0);
    return total;
}

std::size_t check_output_read() {
    return sp::check_output(writer, {.shell = true}).size();
}

std::size_t boost_read() {
    namespace bp = boost::process;
    bp::pipe out;
    bp::child child("/bin/sh", "-c", writer, bp::std_out > out);
    const std::size_t total = read_all(
        [&](char* buffer) {
            return static_cast<std::ptrdiff_t>(out.read(buffer, static_cast<int>(buffer_bytes)));
        },
        nullptr);
    child.wait();
    return total;
}

void add_calls(const std::string& job, std::size_t resident_bytes) {
    bench::contender(job, bench::ours, repeated(resident_bytes, call_true));
    bench::contender(job, "Boost.Process", repeated(resident_bytes, boost_call_true));
    bench::contender(job, bench::limit, repeated(resident_bytes, raw_call_true));
}

void add() {
    add_calls("call_true", 0);
    add_calls("call_true_2GiB", bench::two_GiB);
    bench::contender("read_64MiB", bench::ours, reading(popen_read));
    bench::contender("read_64MiB", "Boost.Process", reading(boost_read));
    bench::contender("read_64MiB", bench::limit, reading(raw_read_dropped));
    bench::contender("check_output_64MiB", bench::ours, reading(check_output_read));
    bench::contender("check_output_64MiB", bench::limit, reading(raw_read_kept));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
