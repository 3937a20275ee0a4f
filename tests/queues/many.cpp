// SPDX-License-Identifier: MIT
// Many producers and many consumers: nothing is lost, doubled or out of order.
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

struct numbered {
    int producer = 0;
    int number = 0;
    std::string ballast;
};

void produce(mp::Queue<numbered> queue, int producer, int count) {
    for (int i = 0; i < count; ++i)
        queue.put({producer, i, std::string(static_cast<std::size_t>(i % 97), 'b')});
}

/// What it took, in order, until a message with a negative producer.
void consume(mp::Queue<numbered> queue, mp::Queue<std::vector<std::pair<int, int>>> results) {
    std::vector<std::pair<int, int>> taken;
    for (;;) {
        const numbered value = queue.get();
        if (value.ballast.size() != static_cast<std::size_t>(value.number % 97))
            throw mp::ProcessError("a damaged message");
        if (value.producer < 0)
            break;
        taken.emplace_back(value.producer, value.number);
    }
    results.put(taken);
}

void check_all(const std::string& method, int producers, int consumers, int count,
               long long maxsize) {
    mp::Queue<numbered> queue(maxsize);
    mp::Queue<std::vector<std::pair<int, int>>> results;
    std::vector<mp::Process> writers;
    std::vector<mp::Process> readers;
    const mp::process_options options{.start_method = method};
    for (int i = 0; i < consumers; ++i)
        readers.emplace_back(consume, mp::args(queue, results), options).start();
    for (int i = 0; i < producers; ++i)
        writers.emplace_back(produce, mp::args(queue, i, count), options).start();
    for (auto& writer : writers) {
        CHECK(writer.join());
        CHECK(writer.exitcode() == 0);
    }
    for (int i = 0; i < consumers; ++i)
        queue.put({-1, 0, ""});
    std::map<std::pair<int, int>, int> seen;
    for (int i = 0; i < consumers; ++i) {
        std::map<int, int> last;
        for (const auto& [producer, number] : results.get()) {
            ++seen[{producer, number}];
            const auto before = last.emplace(producer, -1).first;
            if (before->second >= number)
                FAIL("producer " << producer << " was overtaken by itself");
            before->second = number;
        }
    }
    for (auto& reader : readers)
        CHECK(reader.join());
    CHECK(seen.size() == static_cast<std::size_t>(producers * count));
    for (const auto& [key, times] : seen)
        if (times != 1)
            FAIL("a message arrived " << times << " times");
    CHECK(queue.empty());
}

TEST_CASE("queue: what many put many take, each value once and each producer's in order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    check_all(method, 1, 1, support::rounds(30'000), 0);
    check_all(method, 4, 1, support::rounds(5'000), 0);
    check_all(method, 1, 4, support::rounds(20'000), 0);
    check_all(method, 4, 4, support::rounds(5'000), 0);
    check_all(method, 4, 4, support::rounds(2'000), 1);
    check_all(method, 3, 3, support::rounds(3'000), 7);
}

TEST_CASE("queue: threads of one process share it like processes do") {
    const support::watchdog watchdog;
    mp::Queue<int> queue(16);
    constexpr int most = support::rounds(5'000);
    std::vector<std::thread> threads;
    std::vector<long long> sums(3);
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&queue] {
            for (int number = 1; number <= most; ++number)
                queue.put(number);
        });
    for (std::size_t i = 0; i < 3; ++i)
        threads.emplace_back([&queue, &sum = sums[i]] {
            for (int taken = 0; taken < most; ++taken)
                sum += queue.get();
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(sums[0] + sums[1] + sums[2] == 3LL * most * (most + 1) / 2);
    CHECK(queue.empty());
}

void ask_often(mp::Queue<int> queue, mp::Queue<int> done) {
    int taken = 0;
    for (;;) {
        try {
            if (queue.get_nowait() < 0)
                break;
            ++taken;
        } catch (const mp::Empty&) {
            std::this_thread::yield();
        }
    }
    done.put(taken);
}

TEST_CASE("queue: who only asks without waiting gets its share, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    mp::Queue<int> queue(50);
    mp::Queue<int> done;
    constexpr int most = support::rounds(5'000);
    std::vector<mp::Process> readers;
    for (int i = 0; i < 3; ++i)
        readers
            .emplace_back(ask_often, mp::args(queue, done),
                          mp::process_options{.start_method = method})
            .start();
    for (int i = 0; i < most; ++i) {
        try {
            queue.put_nowait(i);
        } catch (const mp::Full&) {
            queue.put(i);
        }
    }
    for (int i = 0; i < 3; ++i)
        queue.put(-1);
    int taken = 0;
    for (int i = 0; i < 3; ++i)
        taken += done.get();
    CHECK(taken == most);
    for (auto& reader : readers)
        CHECK(reader.join());
}

}  // namespace
