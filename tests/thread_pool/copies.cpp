// SPDX-License-Identifier: MIT
// POSIX only: Windows has no fork.
#include <multiprocessing/thread_pool.hpp>

#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <vector>

#include <multiprocessing/os.hpp>
#include <multiprocessing/pool.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

template <class Use>
bool is_refused(Use use) {
    try {
        use();
    } catch (const mp::ProcessError&) {
        return true;
    }
    return false;
}

/// Ends with 0 where `check` holds in a copy of this process.
template <class Check>
int in_a_copy(Check check) {
    const int pid = mp::os::fork();
    if (pid == 0) {
        const support::watchdog watchdog(60);
        mp::os::_exit(check() ? 0 : 1);
    }
    return mp::os::waitstatus_to_exitcode(mp::os::waitpid(pid).status);
}

mp::ThreadPool* parents_pool = nullptr;

int square_in_parents_pool(int x) {
    return parents_pool->apply(square, mp::args(x));
}

}  // namespace

// All of it waited for threads that a copy does not have.
TEST_CASE("thread pool: a copy of the process is told that the pool is not its own") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::vector<int> numbers{1, 2, 3};
    std::promise<void> gate;
    mp::ThreadPool pool(1);
    CHECK(pool.apply(square, mp::args(2)) == 4);
    auto stream = pool.imap(square, numbers);
    CHECK(stream.next() == 1);
    const auto blocked = pool.apply_async([&] { gate.get_future().wait(); });
    const auto waiting = pool.apply_async(square, mp::args(3));
    CHECK(in_a_copy([&] { return is_refused([&] { pool.apply(square, mp::args(1)); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.map(square, numbers); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.imap(square, numbers); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.map_async(square, numbers); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { stream.next(); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { waiting.get(); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.close(); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.terminate(); }); }) == 0);
    CHECK(in_a_copy([&] { return is_refused([&] { pool.join(); }); }) == 0);
    gate.set_value();
    CHECK(waiting.get() == 9);
    CHECK(stream.next() == 4);
}

// It hung, or crashed where it joined threads that are not there.
TEST_CASE("thread pool: a copy of the process lets go of the pool, its streams and its results") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> gate;
    auto pool = std::make_unique<mp::ThreadPool>(2);
    auto blocked =
        std::make_optional(pool->apply_async([&] { gate.get_future().wait(); }, mp::args()));
    auto stream = std::make_optional(pool->imap(square, std::views::iota(0)));
    CHECK(stream->next() == 0);
    const auto let_go = [&] {
        stream.reset();
        pool.reset();
        blocked.reset();
        return true;
    };
    CHECK(in_a_copy(let_go) == 0);
    gate.set_value();
    blocked->wait();
    pool->terminate();
    pool->join();
    CHECK(in_a_copy(let_go) == 0);
}

TEST_CASE("thread pool: a task of a process pool that uses a thread pool of the parent fails") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool threads(2);
    parents_pool = &threads;
    CHECK(threads.apply(square, mp::args(2)) == 4);
    mp::Pool processes(1, {.start_method = "fork"});
    CHECK_THROWS_AS(processes.apply(square_in_parents_pool, mp::args(3)), mp::ProcessError);
    CHECK(threads.apply(square, mp::args(3)) == 9);
}
