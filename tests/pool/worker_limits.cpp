// SPDX-License-Identifier: MIT
// POSIX only: processor time and processors are asked about by its calls.
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <csignal>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/sanitized.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#include <sched.h>
#include <sys/resource.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

std::size_t allocate(std::size_t bytes) {
    std::vector<char> memory(bytes, 'x');
    return memory.size();
}

void burn() {
    const ::rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    volatile int turns = 0;
    while (turns >= 0)
        turns = (turns + 1) % 1000;
}

int processors() {
    ::cpu_set_t set;
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}


/// The processors that the pool's workers may run on, one after the other.
std::vector<int> first_processors(mp::Pool& pool) {
    std::vector<int> found;
    for (const int pid : pool.worker_pids()) {
        ::cpu_set_t set;
        REQUIRE(::sched_getaffinity(pid, sizeof set, &set) == 0);
        int first = 0;
        while (!CPU_ISSET(first, &set))
            ++first;
        found.push_back(first);
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

#if !defined(SUPPORT_SANITIZED)  // A sanitizer needs more memory than any limit.
TEST_CASE("pool: what goes beyond a worker's memory limit is bad_alloc") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD, .memory_limit = 300 << 20});
    CHECK(pool.apply(allocate, mp::args(std::size_t{10} << 20)) == 10 << 20);
    CHECK_THROWS_AS(pool.apply(allocate, mp::args(std::size_t{500} << 20)), std::bad_alloc);
    CHECK(pool.apply(allocate, mp::args(std::size_t{10} << 20)) == 10 << 20);
}
#endif

TEST_CASE("pool: a worker that has used up its processor time is lost, and says so") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD, .cpu_limit = 1s});
    try {
        pool.apply(burn);
        FAIL("it burns for ever");
    } catch (const mp::WorkerLostError& error) {
        CHECK(error.signal() == "SIGXCPU");
    }
    CHECK(pool.apply(allocate, mp::args(std::size_t{1})) == 1);
    CHECK_THROWS_AS(mp::Pool(1, {.cpu_limit = -1s}), mp::ValueError);
}

TEST_CASE("pool: workers that are pinned have one processor each") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD, .pin_workers = true});
    for (int i = 0; i < 10; ++i)
        CHECK(pool.apply(processors) == 1);
}

TEST_CASE("pool: one that takes a dead worker's place takes its processor, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD, .pin_workers = true});
    const auto settle = [&] {  // Each has been pinned when it has done something.
        const std::vector<int> milliseconds(20, 2);
        pool.map([](int x) { std::this_thread::sleep_for(std::chrono::milliseconds(x)); },
                 milliseconds, {.chunksize = 1});
        return first_processors(pool);
    };
    const auto before = settle();
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS_AS(pool.apply([] { support::die_of(support::kill_signal); }),
                        mp::WorkerLostError);
        CHECK(settle() == before);
    }
}
