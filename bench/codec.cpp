// SPDX-License-Identifier: MIT
// What a message costs: written into a fresh buffer, read into a fresh object.
#include <multiprocessing/detail/codec.hpp>

#include "support/contender.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
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

/// As into a ring or a shared block: memory that nobody fills with zeros first.
template <class Message>
auto write(const Message& value) {
    return [=](benchmark::State& state) {
        Message message = value;
        const std::size_t bytes = codec::encoded_size(message);
        for (auto _ : state) {
            benchmark::DoNotOptimize(message);
            std::unique_ptr<std::byte[]> room(new std::byte[codec::encoded_size(message)]);
            benchmark::DoNotOptimize(codec::encode_to(room.get(), message));
            benchmark::ClobberMemory();
        }
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
    };
}

template <class Message>
auto read(const Message& value) {
    return [=](benchmark::State& state) {
        const std::vector<std::byte> bytes = codec::encode(value);
        for (auto _ : state) {
            std::span<const std::byte> view(bytes);
            benchmark::DoNotOptimize(view);
            benchmark::DoNotOptimize(codec::decode<Message>(view));
        }
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
    };
}

/// The floor under reading: a fresh object made from one that is there.
template <class Message>
auto copy_object(const Message& value) {
    return [=](benchmark::State& state) {
        Message message = value;
        const std::size_t bytes = codec::encoded_size(message);
        for (auto _ : state) {
            benchmark::DoNotOptimize(message);
            Message copied(message);
            benchmark::DoNotOptimize(copied);
        }
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
    };
}

/// The floor under writing: fresh memory and one copy of as many bytes.
template <class Message>
auto copy_bytes(const Message& value) {
    return [=](benchmark::State& state) {
        const std::vector<std::byte> from = codec::encode(value);
        for (auto _ : state) {
            std::unique_ptr<std::byte[]> room(new std::byte[from.size()]);
            std::memcpy(room.get(), from.data(), from.size());
            benchmark::DoNotOptimize(room.get());
            benchmark::ClobberMemory();
        }
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(from.size()));
    };
}

template <class Message>
void add_message(const std::string& job, const Message& value) {
    bench::contender(job + "_write", bench::ours, write(value));
    bench::contender(job + "_write", bench::limit, copy_bytes(value));
    bench::contender(job + "_read", bench::ours, read(value));
    bench::contender(job + "_read", bench::limit, copy_object(value));
}

void add() {
    add_message("codec_small", make_small(1));
    add_message("codec_medium", make_medium());
    add_message("codec_8MiB", make_large());
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
