// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
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

int sleep_and_square(int x) {
    std::this_thread::sleep_for(200us);
    return x * x;
}

int pid_after_a_while(int) {
    std::this_thread::sleep_for(20ms);
    return mp::os::getpid();
}

mp::detail::handle begun;
mp::detail::handle end;

void keep_ends(mp::detail::handle of_begun, mp::detail::handle of_end) {
    begun = std::move(of_begun);
    end = std::move(of_end);
}

int say_and_linger(int milliseconds) {
    support::say(begun, ".");
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

int say_and_stay(int) {
    support::say(begun, ".");
    support::wait_for_end(end);
    return mp::os::getpid();
}

/// What a pool's workers say when they begin a task, and what they hear when they may end it.
class watched_tasks {
public:
    /// For keep_ends(), the workers' initializer.
    std::tuple<mp::detail::handle, mp::detail::handle> ends() {
        return {begun_.writer(), end_.reader()};
    }
    void await_beginnings(std::size_t tasks) const {
        REQUIRE(support::read_exactly(begun_.ends.reader.get(), tasks).size() == tasks);
    }
    /// Returns when so many workers have run a task each at the same time.
    void meet(mp::Pool& pool, std::size_t workers) const {
        std::vector<mp::AsyncResult<int>> results;
        for (std::size_t i = 0; i < workers; ++i)
            results.push_back(pool.apply_async(say_and_stay, mp::args(1)));
        await_beginnings(workers);
        for (std::size_t i = 0; i < workers; ++i)
            end_.open();
        std::set<int> pids;
        for (auto& result : results)
            pids.insert(result.get());
        CHECK(pids.size() == workers);
    }

private:
    support::gate begun_;
    support::gate end_;
};

std::size_t workers_at_work(mp::Pool& pool, int tasks) {
    const auto pids = pool.map(pid_after_a_while, std::vector<int>(static_cast<std::size_t>(tasks)),
                               {.chunksize = 1});
    return std::set<int>(pids.begin(), pids.end()).size();
}

}  // namespace

TEST_CASE("pool: it grows and shrinks while it is idle") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    watched_tasks tasks;
    mp::Pool pool(1,
                  {.initializer = {keep_ends, tasks.ends()}, .start_method = EVERY_START_METHOD});
    pool.resize(4);
    CHECK(pool.processes() == 4);
    CHECK(pool.worker_pids().size() == 4);
    tasks.meet(pool, 4);
    pool.resize(2);
    CHECK(workers_at_work(pool, 12) <= 2);
    support::await([&] { return pool.worker_pids().size() == 2; });
    pool.resize(2);
    CHECK(pool.apply(square, mp::args(3)) == 9);
    CHECK_THROWS_AS(pool.resize(0), mp::ValueError);
}

TEST_CASE("pool: it is resized many times while it works, and loses nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 2000; ++i) {
        results.push_back(pool.apply_async(sleep_and_square, mp::args(i)));
        if (i % 100 == 0)
            pool.resize(1 + i / 100 % 5);
    }
    for (int i = 0; i < 2000; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
    pool.resize(1);
    pool.close();
    CHECK_THROWS_AS(pool.resize(3), mp::ValueError);
    pool.join();
}

TEST_CASE("pool: it is resized while its workers are being killed") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 12; ++i) {
        const auto pids = pool.worker_pids();
        mp::os::kill(pids.at(static_cast<std::size_t>(i) % pids.size()), support::kill_signal);
        pool.resize(1 + i % 3);
        CHECK(pool.map(square, std::vector<int>(50, i), {.chunksize = 1}) ==
              std::vector<int>(50, i * i));
        const auto left = static_cast<std::size_t>(1 + i % 3);
        support::await([&] { return pool.worker_pids().size() == left; });
    }
}

TEST_CASE("pool: a worker that is too much ends after its long task, which is not lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto one = pool.apply_async(pid_after_a_while, mp::args(1));
    const auto other = pool.apply_async(pid_after_a_while, mp::args(1));
    pool.resize(1);
    CHECK(one.get() > 0);  // By either worker: what it had not begun the other one has.
    CHECK(other.get() > 0);
    support::await([&] { return pool.worker_pids().size() == 1; });
    pool.resize(2);
    CHECK(pool.worker_pids().size() == 2);
    pool.terminate();
    pool.join();
}

TEST_CASE("pool: a worker that is too much is let go of after the last task of all") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    watched_tasks tasks;
    mp::Pool pool(2,
                  {.initializer = {keep_ends, tasks.ends()}, .start_method = EVERY_START_METHOD});
    const auto one = pool.apply_async(say_and_linger, mp::args(1));
    const auto other = pool.apply_async(say_and_linger, mp::args(50));
    tasks.await_beginnings(2);
    pool.resize(1);
    CHECK(one.get() == 1);
    CHECK(other.get() == 50);  // Before its worker has ended, which nobody waits for any more.
    support::await([&] { return pool.worker_pids().size() == 1; });
}

TEST_CASE("pool: a lazy one starts workers when there is work, no more than it needs") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    {
        const mp::Pool unused(3, {.start_method = method, .lazy = true});
        CHECK(unused.worker_pids().empty());
    }
    watched_tasks tasks;
    mp::Pool pool(3,
                  {.initializer = {keep_ends, tasks.ends()}, .start_method = method, .lazy = true});
    for (int i = 0; i < 5; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    CHECK(pool.worker_pids().size() == 1);
    tasks.meet(pool, 3);
    CHECK(pool.worker_pids().size() == 3);
    mp::Pool async(2, {.start_method = method, .lazy = true});
    CHECK(async.apply_async(square, mp::args(4)).get() == 16);
    async.close();
    async.join();
}
