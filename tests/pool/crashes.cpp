// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#include <fcntl.h>
#if defined(MULTIPROCESSING_POSIX)
#include <unistd.h>
#else
#include <io.h>
#endif

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

[[maybe_unused]] void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

int odd_one_out(int x) {
    switch (x) {
    case 20:
        mp::os::_exit(3);
    case 50:
        support::die_of(support::kill_signal);
    case 80:
        throw std::out_of_range("eighty");
    default:
        break;
    }
    return x * x;
}

int lose(mp::Pool& pool, const mp::AsyncResult<int>& result, std::optional<int> exitcode) {
    try {
        result.get();
    } catch (const mp::WorkerLostError& error) {
        CHECK(error.exitcode() == exitcode);
        CHECK(std::string(error.what()).find(std::to_string(error.pid())) != std::string::npos);
        const auto pids = pool.worker_pids();
        CHECK(std::count(pids.begin(), pids.end(), error.pid()) == 0);
        return error.pid();
    }
    FAIL("the worker was not lost");
    return 0;
}

/// Ends its process where `when` says; crosses like any other value.
struct grenade {
    std::string when;

    template <class Archive>
    void serialize(Archive& archive) {
        const bool in_worker = mp::current_process().name() != "MainProcess";
        archive(when);
        if (in_worker && when == "read exit")
            mp::os::_exit(4);
        if (in_worker && when == "read throw")
            throw std::length_error("cannot be read");
        if (in_worker && when == "result exit")
            mp::os::_exit(5);
        if (in_worker && when == "result throw")
            throw std::length_error("cannot be written");
        if (!in_worker && when == "send throw")
            throw std::length_error("cannot be sent");
        if (!in_worker && when == "receive throw")
            throw std::length_error("cannot be received");
    }
};

int take_grenade(const grenade&) {
    return 1;
}

grenade make_grenade(const std::string& when) {
    return {when};
}

#if defined(MULTIPROCESSING_POSIX)
void close_everything() {
    for (int fd = 3; fd < 1024; ++fd)
        ::close(fd);
}
#endif

void end_by_name() {
    mp::os::_exit(4);
}

}  // namespace

MULTIPROCESSING_REGISTER(end_by_name);

TEST_CASE("pool: three of 100 tasks die or throw, 97 give results, the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(4, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 100; ++i)
        results.push_back(pool.apply_async(odd_one_out, mp::args(i)));
    for (int i = 0; i < 100; ++i) {
        const auto& result = results[static_cast<std::size_t>(i)];
        if (i == 20)
            lose(pool, result, 3);
        else if (i == 50)
            lose(pool, result, -support::kill_signal);
        else if (i == 80)
            CHECK_THROWS_AS(result.get(), std::out_of_range);
        else
            CHECK(result.get() == i * i);
    }
    CHECK(pool.worker_pids().size() == 4);
    for (int i = 0; i < 100; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
}

TEST_CASE("pool: a map in which a worker dies fails with that, and the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    std::vector<int> numbers(60);
    std::iota(numbers.begin(), numbers.end(), 0);
    CHECK_THROWS_AS(pool.map_async(odd_one_out, numbers, {.chunksize = 1}).get(),
                    mp::WorkerLostError);
    CHECK(pool.map(square, std::vector<int>{1, 2, 3}) == std::vector<int>{1, 4, 9});
}

TEST_CASE("pool: the error names the worker, how it ended and what it ran") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    try {
        pool.apply([] { support::die_of(support::kill_signal); });
        FAIL("nothing was thrown");
    } catch (const mp::WorkerLostError& error) {
        const std::string text = error.what();
        CHECK(text.find("PoolWorker-1") != std::string::npos);
        CHECK(text.find(mp::detail::signal_name(support::kill_signal)) != std::string::npos);
        CHECK(error.signal() == mp::detail::signal_name(support::kill_signal));
        CHECK(error.task().find("task 0") != std::string::npos);
        CHECK_FALSE(error.out_of_memory());
    }
    try {
        pool.apply([] { mp::os::_exit(3); });
        FAIL("nothing was thrown");
    } catch (const mp::WorkerLostError& error) {
        CHECK(std::string(error.what()).find("status 3") != std::string::npos);
    }
    const auto task_of = [&](void (*function)()) -> std::string {
        try {
            pool.apply(function);
        } catch (const mp::WorkerLostError& error) {
            return error.task();
        }
        return "it was not lost";
    };
    CHECK(task_of(end_by_name) == "'end_by_name', task 0");
    CHECK(task_of([] { mp::os::_exit(4); }) != task_of([] { mp::os::_exit(5); }));
}

TEST_CASE("pool: every way to end a process is a lost worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto code_of = [&](auto function) {
        try {
            pool.apply(function);
        } catch (const mp::WorkerLostError& error) {
            return error.exitcode();
        }
        return std::optional<int>();
    };
    CHECK(code_of([] { mp::os::_exit(0); }) == 0);
    CHECK(code_of([] { std::exit(7); }) == 7);
#if defined(MULTIPROCESSING_POSIX)
    constexpr int aborted = -SIGABRT;
#else
    constexpr int aborted = 3;  // So Microsoft's C library ends.
#endif
    CHECK(code_of([] { support::die_of(support::terminate_signal); }) ==
          -support::terminate_signal);
    CHECK(code_of([] { std::signal(SIGABRT, SIG_DFL), std::abort(); }) == aborted);
    CHECK(code_of([]() noexcept { std::signal(SIGABRT, SIG_DFL), std::terminate(); }) == aborted);
    CHECK(pool.apply(square, mp::args(2)) == 4);
}

TEST_CASE("pool: values that fail on their way fail their own task only") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_WITH(pool.apply(take_grenade, mp::args(grenade{"send throw"})), "cannot be sent");
    CHECK_THROWS_WITH(pool.apply(take_grenade, mp::args(grenade{"read throw"})), "cannot be read");
    CHECK_THROWS_AS(pool.apply(take_grenade, mp::args(grenade{"read exit"})), mp::WorkerLostError);
    CHECK_THROWS_WITH(pool.apply(make_grenade, mp::args("result throw")), "cannot be written");
    CHECK_THROWS_AS(pool.apply(make_grenade, mp::args("result exit")), mp::WorkerLostError);
    CHECK_THROWS_WITH(pool.apply(make_grenade, mp::args("receive throw")), "cannot be received");
    CHECK(pool.apply(take_grenade, mp::args(grenade{"never"})) == 1);
    CHECK(pool.apply(make_grenade, mp::args("never")).when == "never");
}

TEST_CASE("pool: elements that cannot be sent fail their map, not the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<grenade> grenades(300, grenade{"never"});
    grenades[150].when = "send throw";
    CHECK_THROWS_WITH(pool.map(take_grenade, grenades, {.chunksize = 1}), "cannot be sent");
    CHECK_THROWS_WITH(pool.map_async(take_grenade, grenades).get(), "cannot be sent");
    grenades[150].when = "never";
    CHECK(pool.map(take_grenade, grenades).size() == 300);
}

TEST_CASE("pool: many results that cannot be sent fail one by one, in the same workers") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto before = pool.worker_pids();
    std::vector<mp::AsyncResult<grenade>> results;
    for (int i = 0; i < 20; ++i)
        results.push_back(pool.apply_async(make_grenade, mp::args("result throw")));
    for (const auto& result : results)
        CHECK_THROWS_AS(result.get(), std::length_error);
    CHECK(pool.worker_pids() == before);
}

TEST_CASE("pool: workers killed while idle are replaced before the next task") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    for (int round = 0; round < 5; ++round) {
        for (const int pid : pool.worker_pids())
            mp::os::kill(pid, support::kill_signal);
        std::vector<int> numbers(100, 3);
        CHECK(pool.map(square, numbers, {.chunksize = 1}) == std::vector<int>(100, 9));
    }
}

TEST_CASE("pool: all workers that run a task are killed at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(4, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 4; ++i)
        results.push_back(pool.apply_async([] {
            support::die_of(support::kill_signal);
            return 0;
        }));
    for (int i = 0; i < 40; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    for (std::size_t i = 0; i < 4; ++i)
        lose(pool, results[i], -support::kill_signal);
    for (std::size_t i = 0; i < 40; ++i)
        CHECK(results[4 + i].get() == static_cast<int>(i * i));
}

TEST_CASE("pool: every task kills its worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 40; ++i)
        results.push_back(
            pool.apply_async([](int code) -> int { mp::os::_exit(code); }, mp::args(i)));
    std::set<int> pids;
    for (int i = 0; i < 40; ++i)
        pids.insert(lose(pool, results[static_cast<std::size_t>(i)], i));
    CHECK(pids.size() == 40);
    CHECK(pool.apply(square, mp::args(2)) == 4);
}

TEST_CASE("pool: a worker that is stopped keeps its own task, the others' go on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 20; ++i)
        results.push_back(pool.apply_async(
            [](int x) {
                if (x == 0)
                    support::stop_this_process();
                return x;
            },
            mp::args(i)));
    for (int i = 1; i < 20; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i);
    CHECK_FALSE(results[0].ready());
    for (const int pid : pool.worker_pids())
        support::continue_process(pid);
    CHECK(results[0].get() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows numbers handles anew, and so others would be closed.
TEST_CASE("pool: a task that closes all descriptors gives its result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 5; ++i)
        pool.apply(close_everything);
    for (int i = 0; i < 50; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
TEST_CASE("pool: a child that a task forks and leaves behind is nothing to the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const int child = pool.apply([] {
        int ends[2];
        if (::pipe(ends) != 0)
            mp::os::_exit(1);
        const int last_to_close = ::fcntl(ends[1], F_DUPFD, 1'000);
        ::close(ends[1]);
        const int pid = mp::os::fork();
        if (pid == 0) {
            close_everything();
            support::run_for_ever();
        }
        ::close(last_to_close);
        char unused = 0;
        if (::read(ends[0], &unused, 1) != 0)  // Until the child's end is closed.
            mp::os::_exit(1);
        ::close(ends[0]);
        return pid;
    });
    CHECK(pool.apply(square, mp::args(3)) == 9);
    pool.close();
    pool.join();
    CHECK_FALSE(support::is_gone(child));
    mp::os::kill(child, support::kill_signal);
    support::await([&] { return support::is_gone(child); });
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
// The copy went on as a second worker on the same rings.
TEST_CASE("pool: a task that forks and returns twice replies once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 20; ++i) {
        const std::string text = pool.apply([] {
            const bool copy = mp::os::fork() == 0;
            return copy ? std::string(100, 'x') : std::string("the worker");
        });
        CHECK(text == "the worker");
        const auto numbers = pool.map([](int x) { return x == 5 && mp::os::fork() == 0 ? -1 : x; },
                                      std::vector<int>{4, 5, 6});
        CHECK(numbers == std::vector<int>{4, 5, 6});
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    }
}
#endif

TEST_CASE("pool: what tasks write to their output does not reach the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.map_async(
        [](int x) {
            const int nowhere = ::open(support::null_device, O_WRONLY);
            ::dup2(nowhere, 1);
            ::dup2(nowhere, 2);
            ::close(nowhere);
            std::fwrite("\0\xff garbage\n", 1, 11, stdout);
            std::fwrite("\0\xff garbage\n", 1, 11, stderr);
            std::fflush(stdout);
            return x;
        },
        std::vector<int>(100, 1), {.chunksize = 1});
    CHECK(result.get() == std::vector<int>(100, 1));
}

TEST_CASE("pool: a task finds the end of standard input at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply([] { return std::getchar(); }) == EOF);
}

#if defined(MULTIPROCESSING_POSIX)
// A pool that has nothing to do does not hear of a worker's death, and the start of another process
// may wait for it meanwhile. What led a group under that number later was killed with all its group.
TEST_CASE("pool: a group that has got the number of a dead worker is none of its business") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Process worker([] {});
    worker.start();
    worker.join();
    mp::Process leader([] {
        mp::detail::lead_group();
        support::run_for_ever();
    });
    leader.start();
    support::await([&] { return ::getpgid(*leader.pid()) == *leader.pid(); });
    mp::detail::signal_group(worker.sentinel(), *leader.pid(), support::kill_signal);
    leader.terminate();
    leader.join();
    CHECK(leader.exitcode() == -support::terminate_signal);
}
#endif
