// SPDX-License-Identifier: MIT
// Who works where several threads use a pool, callbacks among them.
#include <multiprocessing/pool.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// A thread that waits for a task that never ends.
class long_wait {
public:
    explicit long_wait(mp::Pool& pool) : thread_([&pool] { wait(pool); }) {}
    long_wait(const long_wait&) = delete;
    long_wait& operator=(const long_wait&) = delete;
    /// The pool was terminated.
    ~long_wait() { thread_.join(); }

private:
    static void wait(mp::Pool& pool) {
        try {
            pool.apply(sleep_for_ever);
        } catch (const std::exception&) {  // Before it began, or meanwhile.
        }
    }

    std::thread thread_;
};

/// Whether the call throws an E, without the checks of Catch2, which are for one thread.
template <class E, class Call>
bool throws(Call call) {
    try {
        call();
    } catch (const E&) {
        return true;
    } catch (...) {
    }
    return false;
}

}  // namespace

TEST_CASE("pool: a thread that only gives work, again and again, does not keep it from being done") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto first = pool.apply_async(square, mp::args(3));
    std::vector<mp::AsyncResult<int>> others;
    while (!first.ready()) {
        others.push_back(pool.apply_async(square, mp::args(2)));
        std::this_thread::sleep_for(200us);
    }
    CHECK(first.get() == 9);
}

TEST_CASE("pool: what a thread leaves behind is done, however often it came before") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 5'000; ++i)
        REQUIRE(pool.apply_async(square, mp::args(2)).get() == 4);
    const auto last = pool.apply_async(square, mp::args(3));
    support::await([&] { return last.ready(); });
    CHECK(last.get() == 9);
}

TEST_CASE("pool: resize does not wait for the work of others") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    {
        const long_wait other(pool);
        pool.resize(2);
        CHECK(pool.worker_pids().size() == 2);
        CHECK(pool.apply(square, mp::args(2)) == 4);
        pool.terminate();
    }
    CHECK_THROWS_AS(pool.resize(3), mp::ValueError);
}

TEST_CASE("pool: a callback may resize the pool while another thread waits for its result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(
        square, mp::args(3), {.callback = [&](int) { pool.resize(2); }});
    CHECK(result.get() == 9);
    CHECK(pool.worker_pids().size() == 2);
}

TEST_CASE("pool: a lazy pool starts a worker for work that comes while others wait") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD, .lazy = true});
    const long_wait other(pool);
    support::await([&] { return pool.worker_pids().size() == 1; });
    CHECK(pool.apply(square, mp::args(2)) == 4);
    CHECK(pool.apply_async(square, mp::args(3)).get() == 9);
    pool.terminate();
}

TEST_CASE("pool: callbacks come in the order in which the work has ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::vector<int> order;
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 30; ++i)
        results.push_back(pool.apply_async(
            square, mp::args(i), {.callback = [&order, i](int) { order.push_back(i); }}));
    for (const auto& result : results)
        result.wait();
    REQUIRE(order.size() == 30);
    for (int i = 0; i < 30; ++i)
        CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("pool: work that ends as it is given is told although nobody is awake") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto endless = pool.apply_async(sleep_for_ever);
    std::atomic<bool> told{false};
    const auto nothing = pool.map_async(square, std::vector<int>{},
                                        {.callback = [&](const auto&) { told = true; }});
    support::await([&] { return nothing.ready(); });
    CHECK(told);
    pool.terminate();
}

TEST_CASE("pool: a callback cannot wait for what comes after it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::atomic<int> refused{0};
    std::vector<mp::AsyncResult<int>> results;
    const auto count = [&](int) { ++refused; };
    results.push_back(pool.apply_async(square, mp::args(1), {.callback = [&](int) {
                                           // Given here, so that it is told after this one.
                                           const auto next =
                                               pool.apply_async(square, mp::args(2),
                                                                {.callback = count});
                                           refused += throws<mp::ProcessError>(
                                               [&] { next.wait(); });
                                           pool.close();
                                           refused += throws<mp::ProcessError>(
                                               [&] { pool.join(); });
                                       }}));
    CHECK(results[0].get() == 1);
    pool.join();
    CHECK(refused == 3);
}

TEST_CASE("pool: one that goes in a callback of its own ends without a word") {
    const support::watchdog watchdog;
    auto pool = std::make_shared<mp::Pool>(1, mp::pool_options{.start_method = EVERY_START_METHOD});
    const auto pids = pool->worker_pids();
    std::atomic<bool> given{false};
    std::atomic<bool> gone{false};
    const auto result = pool->apply_async(square, mp::args(3), {.callback = [&](int) {
                                              while (!given)
                                                  std::this_thread::yield();
                                              pool.reset();
                                              gone = true;
                                          }});
    given = true;
    support::await([&] { return gone.load(); });
    CHECK(support::is_reaped(pids[0]));
    CHECK(result.get() == 9);
}

TEST_CASE("pool: each of several joins returns after the last callback") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::atomic<bool> told{false};
    const auto result = pool.apply_async(square, mp::args(3), {.callback = [&](int) {
                                             std::this_thread::sleep_for(50ms);
                                             told = true;
                                         }});
    pool.close();
    std::atomic<int> early{0};
    std::vector<std::thread> joiners;
    for (int i = 0; i < 3; ++i)
        joiners.emplace_back([&] {
            pool.join();
            early += !told;
        });
    for (auto& joiner : joiners)
        joiner.join();
    CHECK(early == 0);
    CHECK(result.get() == 9);
}

// The system gives a new thread the number of one that has ended.
TEST_CASE("pool: a thread that begins after the pool's own has ended is not taken for it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply_async(square, mp::args(3)).get() == 9);
    pool.close();
    pool.join();
    std::atomic<bool> refused{false};
    for (int i = 0; i < 3; ++i)
        std::thread([&] { refused = refused || throws<mp::ProcessError>([&] { pool.join(); }); })
            .join();
    CHECK_FALSE(refused);
}
