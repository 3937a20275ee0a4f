// SPDX-License-Identifier: MIT
// What a program costs to start, also from a parent of 2 GiB, and its output to read.
#include <multiprocessing/subprocess.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
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

constexpr std::size_t read_bytes = 64U << 20;
constexpr std::size_t buffer_bytes = 65536;
// Writes what fills the pipe at once. With a writer of 4 KiB at a time, such as head, it is the
// writer that is measured, and how often chance has the reader sleep and be woken for it.
const char* const writer = "dd if=/dev/zero bs=65536 count=1024 status=none";

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
std::size_t read_all(Some some) {
    const auto buffer = std::make_unique<char[]>(buffer_bytes);
    std::size_t total = 0;
    for (std::ptrdiff_t count = 0; (count = some(buffer.get())) > 0;)
        total += static_cast<std::size_t>(count);
    return total;
}

/// The same into one block, which the system moves by its pages where it grows: CPython's way, too.
template <class Some>
std::size_t keep_all(Some some) {
    std::size_t room = buffer_bytes;
    char* text = static_cast<char*>(std::malloc(room));
    std::size_t total = 0;
    for (std::ptrdiff_t count = 0; (count = some(text + total)) > 0;) {
        total += static_cast<std::size_t>(count);
        if (room - total < buffer_bytes)
            text = static_cast<char*>(std::realloc(text, room *= 2));
        bench::require(text != nullptr);
    }
    benchmark::DoNotOptimize(text);
    std::free(text);
    return total;
}

/// `all(some)` is one of the two above.
template <class All>
std::size_t raw_read(All all) {
    int ends[2];
    bench::require(::pipe2(ends, O_CLOEXEC) == 0);
    const ::pid_t pid = bench::spawned({"/bin/sh", "-c", writer}, ends[1]);
    ::close(ends[1]);
    const std::size_t total =
        all([&](char* buffer) { return ::read(ends[0], buffer, buffer_bytes); });
    ::close(ends[0]);
    bench::wait_for(pid);
    return total;
}
std::size_t raw_read_dropped() {
    return raw_read([](auto some) { return read_all(some); });
}
std::size_t raw_read_kept() {
    return raw_read([](auto some) { return keep_all(some); });
}

std::size_t popen_read() {
    sp::Popen process(writer, {.stdout_ = sp::PIPE, .shell = true});
    const std::size_t total = read_all([&](char* buffer) {
        return static_cast<std::ptrdiff_t>(
            process.stdout_.read_some(std::as_writable_bytes(std::span(buffer, buffer_bytes))));
    });
    bench::require(process.wait() == 0);
    return total;
}

std::size_t check_output_read() {
    return sp::check_output(writer, {.shell = true}).size();
}

template <class All>
std::size_t boost_read(All all) {
    namespace bp = boost::process;
    bp::pipe out;
    bp::child child("/bin/sh", "-c", writer, bp::std_out > out);
    const std::size_t total = all([&](char* buffer) {
        return static_cast<std::ptrdiff_t>(out.read(buffer, static_cast<int>(buffer_bytes)));
    });
    child.wait();
    return total;
}
std::size_t boost_read_dropped() {
    return boost_read([](auto some) { return read_all(some); });
}
std::size_t boost_read_kept() {
    return boost_read([](auto some) { return keep_all(some); });
}

void add_calls(const std::string& job, std::size_t resident_bytes) {
    bench::contender(job, bench::ours, bench::repeated(resident_bytes, call_true));
    bench::contender(job, "Boost.Process", bench::repeated(resident_bytes, boost_call_true));
    bench::contender(job, bench::limit, bench::repeated(resident_bytes, raw_call_true));
}

void add() {
    add_calls("call_true", 0);
    add_calls("call_true_2GiB", bench::two_GiB);
    bench::contender("read_64MiB", bench::ours, reading(popen_read));
    bench::contender("read_64MiB", "Boost.Process", reading(boost_read_dropped));
    bench::contender("read_64MiB", bench::limit, reading(raw_read_dropped));
    bench::contender("check_output_64MiB", bench::ours, reading(check_output_read));
    bench::contender("check_output_64MiB", "Boost.Process", reading(boost_read_kept));
    bench::contender("check_output_64MiB", bench::limit, reading(raw_read_kept));
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
