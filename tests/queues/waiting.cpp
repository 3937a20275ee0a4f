// SPDX-License-Identifier: MIT
// Who waits is woken: by a value, by room, by a signal handler's return not at all.
#include <multiprocessing/queues.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

constexpr int exchanges = support::rounds(2'000);

void echo(mp::Queue<int> there, mp::Queue<int> back, int count) {
    for (int i = 0; i < count; ++i)
        back.put(there.get());
}

TEST_CASE("queue: a value wakes who waits for it, time after time") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    const long long maxsize = GENERATE(0, 1);
    mp::Queue<int> there(maxsize);
    mp::Queue<int> back(maxsize);
    mp::Process child(echo, mp::args(there, back, exchanges), {.start_method = method});
    child.start();
    for (int i = 0; i < exchanges; ++i) {
        there.put(i);
        REQUIRE(back.get() == i);
    }
    CHECK(child.join());
}

void take_slowly(mp::Queue<int> queue, mp::Queue<int> go) {
    for (int i = 0; i < 300; ++i) {
        go.get();
        if (queue.get() != i)
            throw mp::ProcessError("out of order");
    }
}

TEST_CASE("queue: room wakes a producer that waits for it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    const long long maxsize = GENERATE(1, 5);
    mp::Queue<int> queue(maxsize);
    mp::Queue<int> go;
    mp::Process child(take_slowly, mp::args(queue, go), {.start_method = method});
    child.start();
    for (int i = 0; i < maxsize; ++i)
        queue.put(i);
    for (int i = static_cast<int>(maxsize); i < 300; ++i) {
        REQUIRE_THROWS_AS(queue.put_nowait(i), mp::Full);
        go.put(1);
        queue.put(i);
    }
    for (int i = 0; i < maxsize; ++i)
        go.put(1);
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
}

// A producer once looked for room, found none, and went to sleep on the consumers' count as it was
// a moment later; had a value been taken in between, and then no more, it slept beside free room.
TEST_CASE("queue: no wake-up is lost between the look for room and the sleep") {
    const support::watchdog watchdog;
    mp::Queue<int> queue(2);
    mp::Queue<int> step;
    constexpr int steps = support::rounds(30'000);
    std::thread consumer([&] {
        for (int i = 0; i < steps; ++i) {
            step.get();
            queue.get();
        }
    });
    queue.put(0);
    queue.put(0);
    for (int i = 0; i < steps; ++i) {
        step.put(1);
        queue.put(i);
    }
    consumer.join();
    CHECK(queue.qsize() == 2);
}

TEST_CASE("queue: timed waits that end and values that arrive do not disturb each other") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue(1);
    std::thread producer([queue]() mutable {
        for (int i = 0; i < exchanges;) {
            try {
                queue.put(i, true, std::chrono::microseconds(i % 50));
                ++i;
            } catch (const mp::Full&) {
            }
        }
    });
    for (int i = 0; i < exchanges;) {
        try {
            const int value = queue.get(true, std::chrono::microseconds(i % 70));
            REQUIRE(value == i++);
        } catch (const mp::Empty&) {
        }
    }
    producer.join();
}

#if defined(MULTIPROCESSING_POSIX)  // Windows interrupts no wait for a handler.
std::atomic<int> handled{0};

TEST_CASE("queue: signal handlers interrupt neither get nor put") {
    const support::watchdog watchdog;
    struct sigaction before {};
    struct sigaction count {};
    count.sa_handler = [](int) { ++handled; };
    REQUIRE(::sigaction(SIGUSR1, &count, &before) == 0);
    mp::Queue<int> empty;
    mp::Queue<int> full(1);
    full.put(0);
    std::atomic<int> ended{0};
    std::thread getter([&] {
        empty.get();
        ++ended;
    });
    std::thread putter([&] {
        full.put(1);
        ++ended;
    });
    for (int i = 0; i < 200; ++i) {
        const int seen = handled;
        ::pthread_kill(getter.native_handle(), SIGUSR1);
        ::pthread_kill(putter.native_handle(), SIGUSR1);
        while (handled == seen)
            std::this_thread::yield();
    }
    CHECK(ended == 0);
    empty.put(1);
    CHECK(full.get() == 0);
    getter.join();
    putter.join();
    CHECK(full.get() == 1);
    ::sigaction(SIGUSR1, &before, nullptr);
}
#endif

struct slow_to_write {
    template <class Archive>
    void serialize(Archive& ar) {
        ar(number);
        if (during != nullptr)
            (*during)();
    }
    int number = 0;
    const std::function<void()>* during = nullptr;
};

// The time ran out at the mutex of the producers, and the queue was called full.
TEST_CASE("queue: while another puts, a queue with room is not called full") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const long long maxsize = GENERATE(0, 10);
    mp::Queue<slow_to_write> queue(maxsize);
    std::atomic<bool> inside = false;
    std::atomic<bool> go_on = false;
    int passes = 0;
    const std::function<void()> dawdle = [&] {
        if (++passes % 2 == 1)
            return;  // It is only measured.
        inside = true;
        while (!go_on)
            std::this_thread::yield();
    };
    std::thread slow([&] { queue.put({1, &dawdle}); });
    while (!inside)
        std::this_thread::yield();
    std::thread releaser([&] {
        std::this_thread::sleep_for(50ms);  // Longer than the other call may wait.
        go_on = true;
    });
    CHECK_NOTHROW(queue.put_nowait({2, nullptr}));
    inside = go_on = false;
    std::thread slow_again([&] { queue.put({3, &dawdle}); });
    while (!inside)
        std::this_thread::yield();
    releaser.join();
    releaser = std::thread([&] {
        std::this_thread::sleep_for(50ms);
        go_on = true;
    });
    CHECK_NOTHROW(queue.put({4, nullptr}, true, 1ms));
    slow.join();
    slow_again.join();
    releaser.join();
    for (int i = 1; i <= 4; ++i)
        CHECK(queue.get().number == i);
}

}  // namespace
