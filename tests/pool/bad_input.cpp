// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <cerrno>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <multiprocessing/futures.hpp>
#include <multiprocessing/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include "support/posix/failing_process_calls.hpp"
#include "support/posix/failing_thread_calls.hpp"
#endif

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// The text of the error that a pool in this process ends with; empty if it works.
std::string try_a_pool() {
    try {
        mp::Pool pool(1);
        pool.apply(square, mp::args(2));
        return {};
    } catch (const mp::ProcessError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("pool: less than one process is a ValueError") {
    const support::leftovers leftovers;
    CHECK_THROWS_AS(mp::Pool(0), mp::ValueError);
    CHECK_THROWS_AS(mp::Pool(-1), mp::ValueError);
    CHECK_THROWS_AS(mp::Pool(std::numeric_limits<int>::min()), mp::ValueError);
    CHECK_THROWS_WITH(mp::Pool(-3), "a pool needs at least 1 process, not -3");
}

TEST_CASE("pool: a start method that does not exist is a ValueError") {
    const support::leftovers leftovers;
    CHECK_THROWS_AS(mp::Pool(1, {.start_method = "frok"}), mp::ValueError);
}

TEST_CASE("pool: a chunksize below one is a ValueError") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::vector<int> numbers{1, 2};
    CHECK_THROWS_AS(pool.map(square, numbers, {.chunksize = 0}), mp::ValueError);
    CHECK_THROWS_AS(pool.map_async(square, numbers, {.chunksize = -1}), mp::ValueError);
    CHECK_THROWS_AS(pool.map(square, std::vector<int>{}, {.chunksize = -5}), mp::ValueError);
    CHECK(pool.map(square, numbers) == std::vector<int>{1, 4});
}

TEST_CASE("pool: a function pointer that is null is a PicklingError") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int (*const nothing)(int) = nullptr;
    CHECK_THROWS_AS(pool.apply(nothing, mp::args(1)), mp::PicklingError);
    CHECK_THROWS_AS(pool.map(nothing, std::vector<int>{1}), mp::PicklingError);
    CHECK(pool.apply(square, mp::args(2)) == 4);
}

TEST_CASE("pool: a daemon that is no worker cannot have a pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Process process(
        [] {
            const std::string refusal = "daemonic processes are not allowed to have children";
            mp::os::_exit(try_a_pool() == refusal ? 0 : 1);
        },
        {.daemon = true, .start_method = method});
    process.start();
    process.join();
    CHECK(process.exitcode() == 0);
}

TEST_CASE("pool: a process can have a pool of its own") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Process process([] { mp::os::_exit(try_a_pool().empty() ? 0 : 1); },
                        {.start_method = method});
    process.start();
    process.join();
    CHECK(process.exitcode() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
TEST_CASE("pool: a forked child cannot use its parent's pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    // The pool's thread works, and may hold the lock, while the process splits.
    const auto many = pool.map_async(square, std::vector<int>(50000, 1), {.chunksize = 1});
    for (int i = 0; i < 10; ++i) {
        mp::Process child(
            [&] {
                const auto refused = [](auto use) {
                    try {
                        use();
                    } catch (const mp::ProcessError&) {
                        return true;
                    }
                    return false;
                };
                bool right = refused([&] { pool.apply(square, mp::args(1)); }) &&
                             refused([&] { pool.apply_async(square, mp::args(1)); }) &&
                             refused([&] { pool.close(); }) && refused([&] { pool.terminate(); }) &&
                             refused([&] { pool.worker_pids(); }) &&
                             (many.ready() || refused([&] { many.get(); }));
                const mp::Pool copy(std::move(pool));  // Its destructor has nothing to end here.
                mp::os::_exit(right ? 0 : 1);
            },
            {.start_method = "fork"});
        child.start();
        child.join();
        CHECK(child.exitcode() == 0);
    }
    CHECK(many.get().size() == 50000);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
/// Where one of the calls of a start fails, in turn.
void check_none_is_left(support::failing_call& call, int calls, const std::string& method) {
    for (int nth = 1; nth <= calls; ++nth) {
        const support::failure failure(call, EMFILE, nth);
        CHECK_THROWS_AS(mp::Pool(4, {.start_method = method}), std::system_error);
    }
}

TEST_CASE("pool: where one worker cannot be started none is left") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    check_none_is_left(support::pipe2_call, 4, method);
    check_none_is_left(support::epoll_ctl_call, 5, method);  // The first is that of the bell.
    if (method != "fork")
        return;
    check_none_is_left(support::fork_call, 4, method);
    check_none_is_left(support::pidfd_open_call, 4, method);
}

/// Where the third of four starts has failed the pool works on, and makes up for it when asked to.
void check_goes_on(support::failing_call& call, int nth, const std::string& method) {
    mp::Pool pool(1, {.start_method = method});
    {
        const support::failure failure(call, EAGAIN, nth);
        CHECK_THROWS_AS(pool.resize(5), std::system_error);
    }
    CHECK(pool.worker_pids().size() == 3);
    CHECK(pool.map(square, std::vector<int>(500, 2)) == std::vector<int>(500, 4));
    pool.resize(5);
    CHECK(pool.worker_pids().size() == 5);
}

TEST_CASE("pool: where one of several more workers cannot be started those before it work") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    check_goes_on(support::epoll_ctl_call, 3, method);
    if (method == "fork")
        check_goes_on(support::fork_call, 3, method);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
TEST_CASE("pool: while the last worker cannot be replaced work fails, then the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto lost = pool.apply_async([] { mp::os::_exit(3); });
    CHECK_THROWS_AS(lost.get(), mp::WorkerLostError);
    mp::os::kill(pool.worker_pids().at(0), support::kill_signal);
    {
        const support::failure failure(support::pipe2_call, EMFILE);
        CHECK_THROWS_AS(pool.apply(square, mp::args(2)), std::system_error);
    }
    CHECK(pool.apply(square, mp::args(3)) == 9);
    CHECK(pool.apply_async(square, mp::args(4)).get() == 16);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
TEST_CASE("pool: while one worker cannot be replaced the others go on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    {
        const support::failure failure(support::pipe2_call, EMFILE);
        CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(3); }), mp::WorkerLostError);
        CHECK(pool.apply(square, mp::args(2)) == 4);
    }
    CHECK(pool.map(square, std::vector<int>(500, 2)) == std::vector<int>(500, 4));
    CHECK(pool.apply([] { return 1; }) == 1);
}
#endif

#if defined(SUPPORT_FAILING_THREADS)
const char* const no_thread = "start a thread of a pool: Resource temporarily unavailable";

TEST_CASE("pool: where its thread cannot be started work is refused, then the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(1, {.start_method = method});
    mp::futures::ProcessPoolExecutor executor(1, {.start_method = method});
    {
        const support::failure failure(support::thread_call, EAGAIN);
        CHECK_THROWS_WITH(pool.apply_async(square, mp::args(2)), no_thread);
    }
    CHECK(pool.apply(square, mp::args(3)) == 9);
    CHECK(pool.apply_async(square, mp::args(4)).get() == 16);
    {
        const support::failure failure(support::thread_call, EAGAIN);
        CHECK_THROWS_WITH(executor.submit(square, 2), no_thread);
    }
    CHECK(executor.submit(square, 3).result() == 9);
}

TEST_CASE("thread pool: where one thread cannot be started none is left") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int nth = 1; nth <= 4; ++nth) {  // The fourth is that of the callbacks.
        const support::failure failure(support::thread_call, EAGAIN, nth);
        CHECK_THROWS_WITH(mp::ThreadPool(3), no_thread);
    }
    mp::ThreadPool pool(3);
    CHECK(pool.apply(square, mp::args(3)) == 9);
}
#endif
