// SPDX-License-Identifier: MIT
// Streams of messages, which a queue carries in a segment of their own.
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/other_process.hpp"
#include "support/rounds.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

struct numbered {
    int producer = 0;
    int number = 0;
    std::string ballast;
};

std::size_t ballast_of(int number) {
    return 300 + static_cast<std::size_t>(number * 37 % 900);
}

/// Nobody takes any before there are enough to tell a stream: without a reader none sleeps.
constexpr int enough = 600;

void put_stream(mp::Queue<numbered> queue, int producer, int count) {
    for (int i = 0; i < count; ++i)
        queue.put({producer, i, std::string(ballast_of(i), static_cast<char>('a' + i % 26))});
}

void check(const numbered& value, int producer, int number) {
    const auto wanted = static_cast<char>('a' + number % 26);
    if (value.producer != producer || value.number != number ||
        value.ballast != std::string(ballast_of(number), wanted))
        FAIL("expected message " << number << " of producer " << producer << ", found "
                                 << value.number << " of " << value.producer);
}

void await_stream(const mp::Queue<numbered>& queue) {
    while (queue.qsize() < enough)
        std::this_thread::yield();
}

TEST_CASE("queue: a stream arrives whole and in order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const int maxsize = GENERATE(0, 1'024);
    const int count = support::rounds(50'000);
    mp::Queue<numbered> queue(maxsize);
    support::other_process producer(method, put_stream, mp::args(queue, 7, count));
    await_stream(queue);
    for (int i = 0; i < count; ++i)
        check(queue.get(), 7, i);
    CHECK(queue.empty());
    CHECK(producer.wait() == 0);
}

TEST_CASE("queue: of a stream whose producer is killed all arrives up to a point") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const int rounds = method == "fork" ? support::rounds(100) : 5;
    mp::Queue<numbered> queue;
    std::mt19937 random(43);
    for (int round = 0; round < rounds; ++round) {
        support::other_process producer(method, put_stream, mp::args(queue, round, 1 << 30));
        await_stream(queue);
        int next = 0;
        for (auto before = 100 + random() % 3'000; before > 0; --before)
            check(queue.get(), round, next++);
        producer.kill();
        producer.wait();
        while (!queue.empty())
            check(queue.get(true, 10s), round, next++);
    }
}

}  // namespace
