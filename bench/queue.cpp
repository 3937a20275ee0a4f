// SPDX-License-Identifier: MIT
// How many messages a second go from process to process through a queue. Who of ours has a bound
// stands beside peers with the same; without one, as Python's, beside those that have room for all.
#include <multiprocessing/process.hpp>
#include <multiprocessing/queues.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"
#include "support/raw_ring.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/interprocess/ipc/message_queue.hpp>

#include <unistd.h>

namespace {

namespace mp = multiprocessing;
namespace ipc = boost::interprocess;

using kibibyte = std::array<std::uint64_t, 128>;
using block = std::vector<std::byte>;
constexpr std::size_t block_bytes = 1 << 20;

/// `count` messages from `pairs` processes to as many others; the seconds it takes. `put()` and
/// `get()` move one message; each process has its own copy of them.
template <class Put, class Get>
double stream(int pairs, int count, Put put, Get get) {
    mp::Queue<int> go;
    mp::Queue<int> done;
    std::vector<mp::Process> processes;
    for (int i = 0; i < pairs; ++i) {
        processes.emplace_back([=]() mutable {
            go.get();
            for (int left = count / pairs; left > 0; --left)
                put();
        });
        processes.emplace_back([=]() mutable {
            go.get();
            for (int left = count / pairs; left > 0; --left)
                get();
            done.put(1);
        });
    }
    for (auto& process : processes)
        process.start();
    const auto start = bench::clock_type::now();
    for (int i = 0; i < 2 * pairs; ++i)
        go.put(1);
    for (int i = 0; i < pairs; ++i)
        done.get();
    const double taken = bench::seconds_since(start);
    for (auto& process : processes) {
        process.join();
        bench::require(process.exitcode() == 0);
    }
    return taken;
}

/// A kind of message, and how much of it a measurement takes.
struct traffic {
    int pairs;
    int count;
    /// Messages that wait at most; 0 for no bound.
    int most;
    std::size_t bytes;
};

void report(benchmark::State& state, const traffic& load) {
    const auto messages = static_cast<std::int64_t>(state.iterations()) * load.count;
    state.SetItemsProcessed(messages);
    state.SetBytesProcessed(messages * static_cast<std::int64_t>(load.bytes));
}

template <class T>
auto our_queue(const traffic& load, const T& value) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            mp::Queue<T> queue(load.most);
            state.SetIterationTime(stream(
                load.pairs, load.count, [=]() mutable { queue.put(value); },
                [=]() mutable { benchmark::DoNotOptimize(queue.get()); }));
        }
        report(state, load);
    };
}

/// A message queue of Boost's with a name of its own, which goes with it. One without a bound does
/// not exist there: it has room for as many messages as will ever be put, and has held as many
/// before the time begins, or it would wait for new memory with each. It goes through all of its
/// memory in turn, where ours and the raw ring use again what has just been read.
class boost_queue {
public:
    explicit boost_queue(const traffic& load)
        : name_("multiprocessing-bench-" + std::to_string(::getpid()) + "-" +
                std::to_string(made_++)) {
        const int most = load.most == 0 ? load.count : load.most;
        ipc::message_queue::remove(name_.c_str());
        queue_ = std::make_unique<ipc::message_queue>(ipc::create_only, name_.c_str(),
                                                      static_cast<std::size_t>(most), load.bytes);
        // Who uses it is forked from here; so nothing is left, however this ends.
        ipc::message_queue::remove(name_.c_str());
        if (load.most == 0)
            fill_and_empty(load);
    }
    boost_queue(const boost_queue&) = delete;
    boost_queue& operator=(const boost_queue&) = delete;

    void put(const void* message, std::size_t bytes) const { queue_->send(message, bytes, 0); }
    void get(void* message, std::size_t bytes) const {
        ipc::message_queue::size_type got = 0;
        unsigned priority = 0;
        queue_->receive(message, bytes, got, priority);
    }

private:
    void fill_and_empty(const traffic& load) const {
        block message(load.bytes);
        for (int i = 0; i < load.count; ++i)
            put(message.data(), message.size());
        for (int i = 0; i < load.count; ++i)
            get(message.data(), message.size());
    }

    static inline int made_ = 0;
    std::string name_;
    std::unique_ptr<ipc::message_queue> queue_;
};

auto boost_message_queue(const traffic& load) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            const boost_queue queue(load);
            const block value(load.bytes);
            block into(load.bytes);
            state.SetIterationTime(stream(
                load.pairs, load.count, [&, value] { queue.put(value.data(), load.bytes); },
                [&, into]() mutable { queue.get(into.data(), load.bytes); }));
        }
        report(state, load);
    };
}

auto raw(const traffic& load, std::size_t slots) {
    return [=](benchmark::State& state) {
        for (auto _ : state) {
            bench::raw_ring ring(slots, load.bytes);
            const block value(load.bytes);
            block into(load.bytes);
            state.SetIterationTime(stream(
                1, load.count, [=]() mutable { ring.put(value.data()); },
                [=]() mutable { ring.get(into.data()); }));
        }
        report(state, load);
    };
}

void echo(mp::Queue<int> there, mp::Queue<int> back) {
    while (there.get() != 0)
        back.put(1);
}

void round_trip(benchmark::State& state) {
    mp::Queue<int> there;
    mp::Queue<int> back;
    mp::Process process(echo, mp::args(there, back));
    process.start();
    bench::time_each(state, [&] {
        there.put(1);
        benchmark::DoNotOptimize(back.get());
    });
    there.put(0);
    process.join();
}

void boost_round_trip(benchmark::State& state) {
    constexpr traffic one{1, 1, 1, sizeof(int)};
    const boost_queue there(one);
    const boost_queue back(one);
    const ::pid_t echoing = bench::forked([&] {
        for (int word = 1; word != 0; back.put(&word, sizeof word))
            there.get(&word, sizeof word);
    });
    const auto pass = [&](int word) {
        there.put(&word, sizeof word);
        back.get(&word, sizeof word);
    };
    bench::time_each(state, [&] { pass(1); });
    pass(0);
    bench::wait_for(echoing);
}

constexpr traffic ints{1, 1'000'000, 0, sizeof(int)};
constexpr traffic ints_bounded{1, 1'000'000, 1024, sizeof(int)};
constexpr traffic ints_of_many{4, 1'000'000, 0, sizeof(int)};
constexpr traffic kibibytes{1, 200'000, 0, sizeof(kibibyte)};
constexpr traffic kibibytes_bounded{1, 200'000, 1024, sizeof(kibibyte)};
constexpr traffic blocks{1, 1'000, 4, block_bytes};

constexpr const char* boost = "Boost message_queue";

void add_stream(const std::string& job, const traffic& load, const auto& value) {
    bench::self_timed(job, bench::ours, our_queue(load, value));
    bench::self_timed(job, boost, boost_message_queue(load));
}

void add() {
    add_stream("queue_int", ints, 7);
    bench::self_timed("queue_int", bench::limit, raw(ints, 1024));
    add_stream("queue_int_bounded", ints_bounded, 7);
    bench::self_timed("queue_int_bounded", bench::limit, raw(ints_bounded, 1024));
    add_stream("queue_int_4_4", ints_of_many, 7);
    add_stream("queue_1KiB", kibibytes_bounded, kibibyte{});
    bench::self_timed("queue_1KiB", bench::limit, raw(kibibytes_bounded, 1024));
    add_stream("queue_1KiB_unbounded", kibibytes, kibibyte{});
    bench::self_timed("queue_1KiB_unbounded", bench::limit, raw(kibibytes, 1024));
    add_stream("queue_1MiB", blocks, block(block_bytes));
    bench::self_timed("queue_1MiB", bench::limit, raw(blocks, 4));
    bench::contender("queue_round_trip", bench::ours, round_trip);
    bench::contender("queue_round_trip", boost, boost_round_trip);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
