// SPDX-License-Identifier: MIT
// A message there and back through a pipe, beside the same bytes through the system's by hand.
#include <multiprocessing/connection.hpp>
#include <multiprocessing/process.hpp>

#include "support/contender.hpp"
#include "support/raw.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <sys/socket.h>
#include <unistd.h>

namespace {

namespace mp = multiprocessing;

/// Answers each message with itself, into the memory it has.
void echo(mp::Connection end, std::size_t bytes) {
    std::vector<std::byte> message(bytes);
    try {
        for (;;) {
            end.recv_bytes_into(message);
            end.send_bytes(message);
        }
    } catch (const mp::EOFError&) {
    }
}

auto our_pipe(std::size_t bytes) {
    return [=](benchmark::State& state) {
        auto [here, there] = mp::Pipe();
        mp::Process peer(
            [&, ours = here]() mutable {
                ours.close();
                echo(there, bytes);
            },
            {.start_method = "fork"});
        peer.start();
        there.close();
        std::vector<std::byte> message(bytes);
        bench::time_each(state, [&, &end = here] {
            end.send_bytes(message);
            end.recv_bytes_into(message);
        });
        here.close();
        peer.join();
    };
}

/// Values, each made anew at the other side: what `send` and `recv` cost above the bytes.
void our_values(benchmark::State& state) {
    using message = std::array<std::byte, 64>;
    auto [here, there] = mp::Pipe();
    mp::Process peer(
        [&, ours = here]() mutable {
            ours.close();
            try {
                for (;;)
                    there.send(there.recv<message>());
            } catch (const mp::EOFError&) {
            }
        },
        {.start_method = "fork"});
    peer.start();
    there.close();
    bench::time_each(state, [&end = here] {
        end.send(message{});
        benchmark::DoNotOptimize(end.recv<message>());
    });
    here.close();
    peer.join();
}

template <class Open>
auto raw(std::size_t bytes, Open open, std::size_t head = 0) {
    return [=](benchmark::State& state) {
        bench::stream_echo echo(bytes, open, head);
        bench::time_each(state, [&] { echo.round_trip(); });
    };
}

int socket_pair(int* ends) {
    return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
}

void add_small() {
    constexpr std::size_t bytes = 64;
    bench::contender("pipe_64B", bench::ours, our_pipe(bytes));
    bench::contender("pipe_64B", "socketpair", raw(bytes, socket_pair));
    bench::contender("pipe_64B", bench::limit, raw(bytes, ::pipe));
    bench::contender("pipe_64B_framed", bench::ours, our_pipe(bytes));
    bench::contender("pipe_64B_framed", bench::limit, raw(bytes, ::pipe, 4));
    bench::contender("pipe_64B_values", bench::ours, our_values);
    bench::contender("pipe_64B_values", bench::limit, raw(bytes, ::pipe));
}

/// Of what is larger than a page a socket pair carries more than pipes do: that is the limit.
void add_large(const std::string& job, std::size_t bytes) {
    bench::contender(job, bench::ours, our_pipe(bytes));
    bench::contender(job, "raw pipes", raw(bytes, ::pipe));
    bench::contender(job, bench::limit, raw(bytes, socket_pair));
}

void add() {
    add_small();
    add_large("pipe_64KiB", std::size_t{64} << 10);
    add_large("pipe_1MiB", std::size_t{1} << 20);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
