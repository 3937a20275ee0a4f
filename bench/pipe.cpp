// SPDX-License-Identifier: MIT
// A message of 64 bytes there and back, beside the same bytes through the system's pipes by hand.
// Rounds of both alternate in one run; the label gives the medians' ratio.
#include <multiprocessing/connection.hpp>
#include <multiprocessing/process.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <unistd.h>

namespace {

namespace mp = multiprocessing;

constexpr int trips = 20'000;
constexpr int rounds = 15;
using message = std::array<std::byte, 64>;

template <class Trip>
double microseconds_a_trip(Trip trip) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < trips; ++i)
        trip();
    const std::chrono::duration<double, std::micro> taken =
        std::chrono::steady_clock::now() - start;
    return taken.count() / trips;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double raw_round() {
    std::array<int, 2> there{};
    std::array<int, 2> back{};
    if (::pipe(there.data()) != 0 || ::pipe(back.data()) != 0)
        return 0;
    mp::Process peer([=] {
        message m{};
        for (int i = 0; i < trips; ++i)
            if (::read(there[0], m.data(), m.size()) < 0 ||
                ::write(back[1], m.data(), m.size()) < 0)
                return;
    });
    peer.start();
    message m{};
    const double taken = microseconds_a_trip([&] {
        if (::write(there[1], m.data(), m.size()) < 0 || ::read(back[0], m.data(), m.size()) < 0)
            std::abort();
    });
    peer.join();
    for (const int fd : {there[0], there[1], back[0], back[1]})
        ::close(fd);
    return taken;
}

/// `trip(end)` sends and receives, `answer(end)` receives and sends.
template <class Trip, class Answer>
double pipe_round(Trip trip, Answer answer) {
    auto [ours, theirs] = mp::Pipe();
    mp::Process peer([answer, end = theirs]() mutable {
        for (int i = 0; i < trips; ++i)
            answer(end);
    });
    peer.start();
    theirs.close();
    const double taken = microseconds_a_trip([&] { trip(ours); });
    peer.join();
    return taken;
}

double bytes_round() {
    const message m{};
    message into{};
    return pipe_round(
        [&](mp::Connection& end) {
            end.send_bytes(m);
            end.recv_bytes_into(into);
        },
        [](mp::Connection& end) {
            message got{};
            end.recv_bytes_into(got);
            end.send_bytes(got);
        });
}

double value_round() {
    const message m{};
    return pipe_round(
        [&](mp::Connection& end) {
            end.send(m);
            benchmark::DoNotOptimize(end.recv<message>());
        },
        [](mp::Connection& end) { end.send(end.recv<message>()); });
}

void beside_raw(benchmark::State& state, double (*round)()) {
    for (auto _ : state) {
        std::vector<double> raw;
        std::vector<double> ours;
        for (int i = 0; i < rounds; ++i) {
            raw.push_back(raw_round());
            ours.push_back(round());
        }
        state.SetIterationTime(median(ours) * 1e-6);
        state.counters["raw_us"] = median(raw);
        state.counters["ratio"] = median(ours) / median(raw);
    }
}
BENCHMARK_CAPTURE(beside_raw, bytes, bytes_round)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(beside_raw, values, value_round)
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
