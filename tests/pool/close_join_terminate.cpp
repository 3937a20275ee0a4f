// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <unistd.h>
#endif

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int sleep_and_return(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// Whether the function throws an E. For threads: Catch2's checks are for one only.
template <class E, class Function>
bool throws(Function function) {
    try {
        function();
    } catch (const E&) {
        return true;
    } catch (...) {
    }
    return false;
}

#if defined(MULTIPROCESSING_POSIX)
/// Tells through the pipe that SIGTERM is ignored from now on.
void ignore_sigterm(int told) {
    std::signal(SIGTERM, SIG_IGN);
    static_cast<void>(!::write(told, "x", 1));  // On failure the test hangs, and says where.
    support::run_for_ever();
}
#endif

void print_into(const std::string& path) {
    if (std::freopen(path.c_str(), "w", stdout) == nullptr)
        throw std::runtime_error("cannot write " + path);
}

}  // namespace

TEST_CASE("pool: close and join let the work end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto pids = pool.worker_pids();
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 30; ++i)
        results.push_back(pool.apply_async(sleep_and_return, mp::args(i % 3)));
    pool.close();
    pool.join();
    for (int i = 0; i < 30; ++i) {
        CHECK(results[static_cast<std::size_t>(i)].ready());
        CHECK(results[static_cast<std::size_t>(i)].get() == i % 3);
    }
    for (const int pid : pids)
        CHECK(support::is_reaped(pid));
    CHECK(pool.worker_pids().empty());
}

TEST_CASE("pool: nothing is taken after close") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::vector<int> numbers{1, 2};
    const auto refused = [&] {
        CHECK_THROWS_AS(pool.apply(square, mp::args(2)), mp::ValueError);
        CHECK_THROWS_AS(pool.apply_async(square, mp::args(2)), mp::ValueError);
        CHECK_THROWS_AS(pool.map(square, numbers), mp::ValueError);
        CHECK_THROWS_AS(pool.map_async(square, numbers), mp::ValueError);
        CHECK_THROWS_AS(pool.map(square, std::vector<int>{}), mp::ValueError);
    };
    SECTION("after close") {
        pool.close();
        refused();
        pool.join();
        refused();
    }
    SECTION("after terminate") {
        pool.terminate();
        refused();
        pool.join();
        refused();
    }
}

TEST_CASE("pool: join before close is an error") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.join(), mp::ValueError);
    CHECK(pool.apply(square, mp::args(2)) == 4);
}

TEST_CASE("pool: close, terminate and join may be repeated in any order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    pool.close();
    pool.close();
    pool.join();
    pool.join();
    pool.terminate();
    pool.terminate();
    pool.close();
    pool.join();
}

TEST_CASE("pool: terminate turns what is awaited into errors") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto running = pool.apply_async(sleep_for_ever);
    std::vector<mp::AsyncResult<void>> queued;
    for (int i = 0; i < 10000; ++i)
        queued.push_back(pool.apply_async(sleep_for_ever));
    const auto mapped = pool.map_async(sleep_and_return, std::vector<int>(100, 60000));
    pool.terminate();
    CHECK_THROWS_AS(running.get(), mp::ProcessError);
    CHECK_THROWS_AS(queued.back().get(), mp::ProcessError);
    CHECK_THROWS_AS(mapped.get(), mp::ProcessError);
    pool.join();
}

TEST_CASE("pool: results that were there before terminate stay") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(square, mp::args(3));
    result.wait();
    pool.terminate();
    pool.join();
    CHECK(result.get() == 9);
}

TEST_CASE("pool: leaving the scope terminates") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::vector<int> pids;
    {
        mp::Pool pool(3, {.start_method = method});
        pids = pool.worker_pids();
        for (int i = 0; i < 10; ++i)
            pool.apply_async(sleep_for_ever);
    }
    for (const int pid : pids)
        CHECK(support::is_reaped(pid));
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGTERM that one could ignore.
// Workers were waited for one after the other, each for a second.
TEST_CASE("pool: workers that ignore SIGTERM are killed, all at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog(30);
    const std::string method = EVERY_START_METHOD;
    if (method != "fork")
        return;  // The pipe below is handed down by fork only.
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    {
        constexpr int workers = 40;
        mp::Pool pool(workers, {.start_method = method});
        for (int i = 0; i < workers; ++i)
            pool.apply_async(ignore_sigterm, mp::args(pipe[1]));
        char told = 0;
        for (int i = 0; i < workers; ++i)
            REQUIRE(::read(pipe[0], &told, 1) == 1);
    }
    ::close(pipe[0]);
    ::close(pipe[1]);
}
#endif

TEST_CASE("pool: a worker that is stopped does not keep terminate and join") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto pids = pool.worker_pids();
    support::stop_process(pids[0]);
    pool.terminate();
    pool.join();
    CHECK(support::is_reaped(pids[0]));
}

// join() waited for the stopped worker itself and did not hear of the terminate.
TEST_CASE("pool: terminate ends a join that waits for a stopped worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto pids = pool.worker_pids();
    pool.apply(square, mp::args(1));
    support::stop_process(pids[1]);
    pool.close();
    std::thread joiner([&] { pool.join(); });
    support::await([&] { return support::is_reaped(pids[0]); });
    pool.terminate();
    joiner.join();
    CHECK(support::is_reaped(pids[1]));
}

TEST_CASE("pool: terminate ends waits in other threads") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_for_ever);
    std::atomic<int> ended{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i) {
        waiters.emplace_back([&] { ended += throws<mp::ProcessError>([&] { result.get(); }); });
        waiters.emplace_back(
            [&] { ended += throws<std::exception>([&] { pool.apply(sleep_for_ever); }); });
    }
    std::this_thread::sleep_for(20ms);  // Whether they wait already or not must not matter.
    pool.terminate();
    for (auto& waiter : waiters)
        waiter.join();
    CHECK(ended == 6);
    pool.join();
}

// The lock stayed with the thread that drove the map.
TEST_CASE("pool: terminate ends a map of very many short tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.map_async(square, std::vector<int>(3000000, 1), {.chunksize = 1});
    bool ended_early = false;
    std::thread mapper([&] { ended_early = throws<mp::ProcessError>([&] { result.get(); }); });
    std::this_thread::sleep_for(20ms);
    pool.terminate();
    mapper.join();
    CHECK(ended_early);
    pool.join();
}

TEST_CASE("pool: several threads join at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(sleep_and_return, mp::args(30));
    pool.close();
    std::atomic<int> found_ready{0};
    std::vector<std::thread> joiners;
    for (int i = 0; i < 4; ++i)
        joiners.emplace_back([&] {
            pool.join();
            found_ready += result.ready();
        });
    for (auto& joiner : joiners)
        joiner.join();
    CHECK(found_ready == 4);
    CHECK(result.get() == 30);
}

TEST_CASE("pool: a pool that is destroyed does not keep threads that wait for its results") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    auto pool = std::make_unique<mp::Pool>(2, mp::pool_options{.start_method = EVERY_START_METHOD});
    const auto result = pool->apply_async(sleep_for_ever);
    std::atomic<int> ended{0};
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i)
        waiters.emplace_back(
            [&ended, result] { ended += throws<mp::ProcessError>([&] { result.get(); }); });
    std::this_thread::sleep_for(10ms);
    pool.reset();
    for (auto& waiter : waiters)
        waiter.join();
    CHECK(ended == 3);
}

TEST_CASE("pool: what its tasks have printed is not lost when it leaves its scope") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const std::string path = "printed_by_tasks_" + method + ".txt";
    {
        mp::Pool pool(1, {.initializer = {print_into, mp::args(path)}, .start_method = method});
        pool.map([](int x) { std::printf("%d\n", x); }, {1, 2, 3});
    }
    std::ifstream file(path);
    std::string text;
    std::getline(file, text, '\0');
    file.close();
    std::remove(path.c_str());
    CHECK(text == "1\n2\n3\n");
}
