// SPDX-License-Identifier: MIT
// What a message costs: written into a fresh buffer, read into a fresh object. Pin it to a core and
// take the best of many short runs (--benchmark_repetitions=25 --benchmark_min_time=0.01).
#include <multiprocessing/detail/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace {

namespace codec = multiprocessing::detail;

struct small_message {
    std::uint64_t id;
    std::int32_t kind;
    double weight;
    bool urgent;
    std::string name;
};

struct medium_message {
    std::uint64_t id;
    std::string title;
    std::vector<int> samples;
    std::map<std::string, double> scores;
    std::optional<std::string> remark;
    std::vector<small_message> parts;
};

using large_message = std::vector<double>;

small_message make_small(std::uint64_t id) {
    return {id, -7, 2.5, true, "hello world"};
}

medium_message make_medium() {
    medium_message message{42, std::string(40, 't'), {}, {}, "a remark", {}};
    for (int i = 0; i < 64; ++i)
        message.samples.push_back(i);
    for (int i = 0; i < 8; ++i) {
        message.scores["score " + std::to_string(i)] = i;
        message.parts.push_back(make_small(static_cast<std::uint64_t>(i)));
    }
    return message;
}

large_message make_large() {
    return large_message(std::size_t{1} << 20, 1.5);
}

template <class Message>
void encode(benchmark::State& state, Message message) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(message);
        benchmark::DoNotOptimize(codec::encode(message));
    }
}

// As into a ring or a shared block: memory that nobody fills with zeros first.
template <class Message>
void encode_to(benchmark::State& state, Message message) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(message);
        std::unique_ptr<std::byte[]> room(new std::byte[codec::encoded_size(message)]);
        benchmark::DoNotOptimize(codec::encode_to(room.get(), message));
        benchmark::ClobberMemory();
    }
}

template <class Message>
void decode(benchmark::State& state, Message message) {
    const std::vector<std::byte> bytes = codec::encode(message);
    state.SetLabel(std::to_string(bytes.size()) + " bytes");
    for (auto _ : state) {
        std::span<const std::byte> view(bytes);
        benchmark::DoNotOptimize(view);
        benchmark::DoNotOptimize(codec::decode<Message>(view));
    }
}

// The floor under reading: a fresh object made from one that is there.
template <class Message>
void copy_object(benchmark::State& state, Message message) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(message);
        Message copied(message);
        benchmark::DoNotOptimize(copied);
    }
}

// The floor under the large message: fresh memory and one copy.
void copy_bytes(benchmark::State& state) {
    const large_message from = make_large();
    const std::size_t bytes = from.size() * sizeof(double);
    for (auto _ : state) {
        std::unique_ptr<std::byte[]> room(new std::byte[bytes]);
        std::memcpy(room.get(), from.data(), bytes);
        benchmark::DoNotOptimize(room.get());
        benchmark::ClobberMemory();
    }
}

BENCHMARK_CAPTURE(encode, small, make_small(1));
BENCHMARK_CAPTURE(encode_to, small, make_small(1));
BENCHMARK_CAPTURE(decode, small, make_small(1));
BENCHMARK_CAPTURE(encode, medium, make_medium());
BENCHMARK_CAPTURE(encode_to, medium, make_medium());
BENCHMARK_CAPTURE(decode, medium, make_medium());
BENCHMARK_CAPTURE(copy_object, medium, make_medium());
BENCHMARK_CAPTURE(encode, large, make_large())->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(encode_to, large, make_large())->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode, large, make_large())->Unit(benchmark::kMicrosecond);
BENCHMARK(copy_bytes)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
