// SPDX-License-Identifier: MIT
#include <multiprocessing/thread_pool.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// A pool, and who is told when it has gone.
struct told_pool {
    struct teller {
        std::promise<void> gone;
        ~teller() { gone.set_value(); }
    };

    teller after;
    mp::ThreadPool pool{2};
};

}  // namespace

// The second returned while the first still waited.
TEST_CASE("thread pool: two threads that join both wait") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int round = 0; round < support::rounds(200); ++round) {
        std::promise<void> begun;
        std::promise<void> gate;
        std::atomic<bool> finished{false};
        std::atomic<int> joining{0};
        std::atomic<int> early{0};
        mp::ThreadPool pool(1);
        pool.apply_async([&] {
            begun.set_value();
            gate.get_future().wait();
            finished = true;
        });
        begun.get_future().wait();
        pool.terminate();
        const auto join = [&] {
            ++joining;
            pool.join();
            early += !finished;
        };
        std::thread first(join);
        std::thread second(join);
        while (joining != 2)
            std::this_thread::yield();
        std::this_thread::yield();
        gate.set_value();
        first.join();
        second.join();
        REQUIRE(early == 0);
    }
}

// It joined the thread that it was called by, which ended the process.
TEST_CASE("thread pool: join within a task or a callback is refused, and the pool goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(1);
    CHECK_THROWS_AS(pool.apply([&] { pool.join(); }), mp::ProcessError);
    bool refused = false;
    const auto join = [&](int) {
        refused = false;
        try {
            pool.join();
        } catch (const mp::ProcessError&) {
            refused = true;
        }
    };
    pool.apply_async(square, mp::args(3), {.callback = join}).wait();
    CHECK(refused);
    CHECK(pool.apply(square, mp::args(4)) == 16);
    const auto close_and_join = [&](int) {
        pool.close();
        join(0);
    };
    pool.apply_async(square, mp::args(5), {.callback = close_and_join}).wait();
    CHECK(refused);
    pool.join();
}

TEST_CASE("thread pool: the last task may have the pool, and let go of it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> alone;
    auto pool = std::make_shared<mp::ThreadPool>(2);
    const auto result = pool->apply_async([&alone, mine = pool]() mutable {
        alone.get_future().wait();
        mine.reset();
        return 7;
    });
    pool.reset();
    alone.set_value();
    CHECK(result.get() == 7);
}

TEST_CASE("thread pool: the last callback may have the pool, and let go of it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> alone;
    auto pool = std::make_shared<mp::ThreadPool>(2);
    const auto result =
        pool->apply_async(square, mp::args(3), {.callback = [&alone, mine = pool](int) mutable {
                              alone.get_future().wait();
                              mine.reset();
                          }});
    pool.reset();
    alone.set_value();
    CHECK(result.get() == 9);
}

TEST_CASE("thread pool: a pool that only its tasks have goes with the last of them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> alone;
    const auto let = alone.get_future().share();
    auto own = std::make_shared<told_pool>();
    const auto gone = own->after.gone.get_future();
    for (int i = 0; i < 2; ++i)
        own->pool.apply_async([let, own] { let.wait(); });
    own->pool.apply_async([own] {}, mp::args(), {.callback = [let] { let.wait(); }});
    own.reset();
    alone.set_value();
    gone.wait();
}
