// SPDX-License-Identifier: MIT
// Processes killed or stopped at chosen instants of put and get: the queue goes on for all others.
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

enum class fate { none, in_write, in_read };

enum class blow { death, stop };

/// Kills or stops its own process in the middle of being written or read. The size pass before the
/// write holds no lock; the write is done in the ring, with the producers' mutex held.
struct deadly {
    fate when = fate::none;
    int number = 0;
    blow what = blow::death;
    std::string before;
    std::string after;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(when, number, what, before);
        if ((when == fate::in_write && std::is_same_v<Archive, mp::detail::writing_archive>) ||
            (when == fate::in_read && Archive::is_loading::value))
            strike();
        archive(after);
    }

    void strike() const {
        if (what == blow::stop)
            support::stop_this_process();
        else
            support::die_of(support::kill_signal);
    }
};

deadly value(fate when, int number, std::size_t bytes = 10, blow what = blow::death) {
    return {when, number, what, std::string(bytes, 'a'), std::string(bytes, 'b')};
}

std::string any_method() {
    return GENERATE(from_range(mp::detail::all_start_methods()));
}

template <class... Ts>
mp::Process started(void (*target)(Ts...), std::tuple<Ts...> arguments, const std::string& method) {
    mp::Process process(target, std::move(arguments), {.start_method = method});
    process.start();
    return process;
}

void put_then_die(mp::Queue<deadly> queue, int number, std::size_t bytes) {
    queue.put(value(fate::none, number));
    queue.put(value(fate::in_write, number + 1, bytes));
}

TEST_CASE("queue: a producer killed while it writes loses that value and nothing else") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    for (const std::size_t bytes : {10U, 1'000U, 40'000U, 4'000'000U}) {
        mp::Queue<deadly> queue;
        queue.put(value(fate::none, 1));
        for (int i = 0; i < 10; ++i) {
            auto child = started(put_then_die, mp::args(queue, 100 * i, bytes), method);
            CHECK(child.join());
            CHECK(child.exitcode() == -support::kill_signal);
            queue.put(value(fate::none, 100 * i + 50, i % 2 == 0 ? 10 : 100'000));
        }
        CHECK(queue.qsize() == 21);
        CHECK(queue.get().number == 1);
        for (int i = 0; i < 10; ++i) {
            CHECK(queue.get().number == 100 * i);
            const deadly next = queue.get();
            CHECK(next.number == 100 * i + 50);
            CHECK(next.after == std::string(i % 2 == 0 ? 10 : 100'000, 'b'));
        }
        CHECK_THROWS_AS(queue.get_nowait(), mp::Empty);
    }
}

void get_only(mp::Queue<deadly> queue) {
    queue.get();
}

TEST_CASE("queue: a consumer killed while it reads a copy takes the value with it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    mp::Queue<deadly> queue;
    for (int i = 0; i < 5; ++i) {
        queue.put(value(fate::in_read, i));
        queue.put(value(fate::none, i));
        auto child = started(get_only, mp::args(queue), method);
        CHECK(child.join());
        CHECK(child.exitcode() == -support::kill_signal);
        CHECK(queue.get().number == i);
        CHECK(queue.empty());
    }
}

TEST_CASE("queue: a large value comes to another when its reader is killed over it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    mp::Queue<deadly> queue;
    deadly large = value(fate::in_read, 7, 200'000);
    queue.put(large);
    auto child = started(get_only, mp::args(queue), method);
    CHECK(child.join());
    CHECK(child.exitcode() == -support::kill_signal);
    CHECK(queue.qsize() == 1);
    // The next one reads the same value; this test ignores what it would raise.
    auto second = started(get_only, mp::args(queue), method);
    CHECK(second.join());
    CHECK(queue.qsize() == 1);
    queue.put(value(fate::none, 8));
    CHECK(queue.qsize() == 2);
}

void say_and_get(mp::Queue<int> queue, mp::Queue<int> ready, mp::Queue<int> results) {
    ready.put(1);
    results.put(queue.get());
}

TEST_CASE("queue: consumers killed asleep leave the values to those that wait behind them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    for (int round = 0; round < 5; ++round) {
        mp::Queue<int> queue;
        mp::Queue<int> ready;
        mp::Queue<int> results;
        std::vector<mp::Process> consumers;
        for (int i = 0; i < 4; ++i) {
            consumers.push_back(started(say_and_get, mp::args(queue, ready, results), method));
            ready.get();
            support::await_sleep(consumers.back().pid().value());
        }
        // The first sleeps on the values' count, with the consumers' mutex; the others on that.
        consumers[0].kill();
        if (round % 2 == 0)
            consumers[2].kill();
        else
            queue.put(1);
        consumers[0].join();
        queue.put(2);
        if (round % 2 == 0)
            queue.put(3);
        else
            queue.put(3), queue.put(4);
        const int expected = round % 2 == 0 ? 2 : 3;
        for (int i = 0; i < expected; ++i)
            results.get();
        for (auto& consumer : consumers)
            CHECK(consumer.join());
    }
}

void say_and_put(mp::Queue<int> queue, mp::Queue<int> ready, int number) {
    ready.put(1);
    queue.put(number);
}

TEST_CASE("queue: producers killed asleep for want of room leave it to those that wait behind") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    for (int round = 0; round < 5; ++round) {
        mp::Queue<int> queue(1);
        mp::Queue<int> ready;
        queue.put(0);
        std::vector<mp::Process> producers;
        for (int i = 1; i <= 3; ++i) {
            producers.push_back(started(say_and_put, mp::args(queue, ready, i), method));
            ready.get();
            support::await_sleep(producers.back().pid().value());
        }
        producers[static_cast<std::size_t>(round % 3)].kill();
        CHECK(producers[static_cast<std::size_t>(round % 3)].join());
        CHECK(queue.get() == 0);
        CHECK(queue.get() > 0);
        CHECK(queue.get() > 0);
        for (auto& producer : producers)
            CHECK(producer.join());
        CHECK(queue.empty());
    }
}

void put_stopping(mp::Queue<deadly> queue) {
    queue.put(value(fate::in_write, 1, 10, blow::stop));
}

TEST_CASE("queue: while a producer is stopped in put the others' time runs out, gets go on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    mp::Queue<deadly> queue;
    queue.put(value(fate::none, 0));
    auto child = started(put_stopping, mp::args(queue), method);
    support::await_stopped(child.pid().value());
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(queue.put(value(fate::none, 2), true, 50ms), mp::Full);
    CHECK(std::chrono::steady_clock::now() - start >= 50ms);
    CHECK_THROWS_AS(queue.put_nowait(value(fate::none, 2)), mp::Full);
    CHECK(queue.get().number == 0);
    CHECK_THROWS_AS(queue.get_nowait(), mp::Empty);
    support::continue_process(child.pid().value());
    CHECK(queue.get().number == 1);
    CHECK(child.join());
    queue.put(value(fate::none, 2));
    CHECK(queue.get().number == 2);
}

TEST_CASE("queue: while a consumer is stopped in get the others' time runs out, puts go on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    mp::Queue<int> queue(3);
    mp::Queue<int> ready;
    mp::Queue<int> results;
    auto child = started(say_and_get, mp::args(queue, ready, results), method);
    ready.get();
    support::await_sleep(child.pid().value());
    support::stop_process(child.pid().value());
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(queue.get(true, 50ms), mp::Empty);
    CHECK(std::chrono::steady_clock::now() - start >= 50ms);
    CHECK_THROWS_AS(queue.get_nowait(), mp::Empty);
    queue.put(1);
    queue.put(2);
    queue.put(3);
    CHECK_THROWS_AS(queue.put(4, true, 5ms), mp::Full);
    support::continue_process(child.pid().value());
    CHECK(results.get() == 1);
    CHECK(child.join());
    CHECK(queue.get() == 2);
    CHECK(queue.get() == 3);
}

}  // namespace
