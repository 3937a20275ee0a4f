// SPDX-License-Identifier: MIT
// Processes killed at whatever instruction they are at: a thousand that are forked, and fewer that
// are spawned, for to start a program takes its time.
#include <multiprocessing/queues.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
    return number % 211 == 210 ? 70'000 : static_cast<std::size_t>(number * 37 % 900);
}

void put_numbers(mp::Queue<numbered> queue, int producer) {
    for (int i = 0;; ++i)
        queue.put({producer, i, std::string(ballast_of(i), static_cast<char>('a' + i % 26))});
}

void check_whole(const numbered& value) {
    const auto wanted = static_cast<char>('a' + value.number % 26);
    if (value.ballast.size() != ballast_of(value.number) ||
        std::count(value.ballast.begin(), value.ballast.end(), wanted) !=
            static_cast<std::ptrdiff_t>(value.ballast.size()))
        FAIL("a damaged message");
}

/// How many rounds, and how long a process may run at most before it is killed.
struct pace {
    int rounds;
    std::chrono::microseconds most;
};
pace pace_of(const std::string& method, int rounds, std::chrono::microseconds most) {
    return method == "fork" ? pace{rounds / support::part_of_rounds, most}
                            : pace{rounds / 20, 20 * most + 30ms};
}

/// Lets a process run for a while that has nothing to do with what it does.
void pass_time(std::mt19937& random, std::chrono::microseconds most) {
    const auto until = std::chrono::steady_clock::now() +
                       std::chrono::microseconds(random() % static_cast<unsigned>(most.count()));
    while (std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
}

/// A thread that works until the test is over, also where that is because it has failed.
class partner {
public:
    template <class Body>
    explicit partner(Body body) : thread_([this, body] { body(over_); }) {}
    partner(const partner&) = delete;
    partner& operator=(const partner&) = delete;
    ~partner() { join(); }

    void end() { over_ = true; }
    void join() {
        end();
        if (thread_.joinable())
            thread_.join();
    }

private:
    std::atomic<bool> over_{false};
    std::thread thread_;
};

TEST_CASE("queue: of producers killed at random everything arrives up to a point, whole") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const long long maxsize = GENERATE(0, 3);
    const std::string method = EVERY_START_METHOD;
    const pace pace = pace_of(method, maxsize == 0 ? 200 : 600, 150us);
    const int rounds = pace.rounds;
    mp::Queue<numbered> queue(maxsize);
    std::map<int, int> next;
    partner consumer([&](const std::atomic<bool>& over) {
        while (!over || !queue.empty()) {
            try {
                const numbered value = queue.get(true, 10ms);
                check_whole(value);
                if (value.number != next[value.producer]++)
                    FAIL("producer " << value.producer << " lost or doubled a message");
            } catch (const mp::Empty&) {
            }
        }
    });
    std::mt19937 random(23);
    for (int round = 0; round < rounds; round += 2) {
        support::other_process one(method, put_numbers, mp::args(queue, round));
        support::other_process two(method, put_numbers, mp::args(queue, round + 1));
        pass_time(random, pace.most);
        (round % 4 == 0 ? one : two).kill();
        queue.put({-1, round / 2,
                   std::string(ballast_of(round / 2), static_cast<char>('a' + round / 2 % 26))});
    }
    consumer.join();
    CHECK(next[-1] == rounds / 2);
    CHECK(queue.empty());
}

constexpr std::uint32_t most = 4'000'000;

/// Notes in the lent block how often each number was taken.
void take_numbers(mp::Queue<std::uint32_t> queue, mp::detail::handle lent) {
    const mp::detail::shared_block block(std::move(lent));
    mp::detail::mapping view;
    mp::detail::throw_if_error(block.map(view, 0, most), "map what was taken");
    const auto seen = reinterpret_cast<std::atomic<std::uint8_t>*>(view.data());
    for (;;)
        seen[queue.get()].fetch_add(1);
}

TEST_CASE("queue: consumers killed at random take at most one value with them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const long long maxsize = GENERATE(0, 3);
    const std::string method = EVERY_START_METHOD;
    const pace pace = pace_of(method, 1'000, 400us);
    const int rounds = pace.rounds;
    mp::Queue<std::uint32_t> queue(maxsize);
    mp::detail::shared_block block;
    mp::detail::mapping view;
    REQUIRE_FALSE(mp::detail::shared_block::create(block, most));
    REQUIRE_FALSE(block.map(view, 0, most));
    const auto seen = reinterpret_cast<std::atomic<std::uint8_t>*>(view.data());
    const auto lend = [&] {
        mp::detail::handle copy;
        REQUIRE_FALSE(mp::detail::duplicate(block.native(), copy));
        return copy;
    };
    std::uint32_t put = 0;
    partner producer([&](const std::atomic<bool>& over) {
        while (!over && put < most - 1) {
            if (put % 512 == 0)  // So that the consumers sleep now and then.
                std::this_thread::sleep_for(20us);
            try {
                queue.put(put, true, 1s);
                ++put;
            } catch (const mp::Full&) {  // Nobody takes any more where the test has failed.
            }
        }
    });
    std::mt19937 random(29);
    for (int round = 0; round < rounds; round += 2) {
        support::other_process one(method, take_numbers, mp::args(queue, lend()));
        support::other_process two(method, take_numbers, mp::args(queue, lend()));
        pass_time(random, pace.most);
        (round % 4 == 0 ? one : two).kill();
        pass_time(random, 50us);
    }
    producer.end();
    support::other_process last(method, take_numbers, mp::args(queue, lend()));
    producer.join();
    while (!queue.empty())
        std::this_thread::yield();
    queue.put(most - 1);
    while (seen[most - 1] == 0)
        std::this_thread::yield();
    std::uint32_t lost = 0;
    for (std::uint32_t i = 0; i < put; ++i) {
        if (seen[i] > 1)
            FAIL("value " << i << " was taken " << int(seen[i]) << " times");
        lost += seen[i] == 0;
    }
    CHECK(lost <= static_cast<std::uint32_t>(rounds));
}

}  // namespace
