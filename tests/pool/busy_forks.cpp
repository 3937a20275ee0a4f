// SPDX-License-Identifier: MIT
// POSIX only: Windows has no fork.
#include <multiprocessing/pool.hpp>

#include <atomic>
#include <string>
#include <thread>

#include <multiprocessing/os.hpp>
#include <multiprocessing/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// Whether new pools work here.
bool pools_work(const std::string& method) {
#if !defined(MULTIPROCESSING_THREAD_SANITIZER)  // It forbids threads in a copy of a process.
    if (mp::ThreadPool(1).apply(square, mp::args(4)) != 16)
        return false;
#endif
    return mp::Pool(1, {.start_method = method}).apply(square, mp::args(3)) == 9;
}

}  // namespace

TEST_CASE("pool: a copy that is made while other threads start and use pools has its own") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::atomic<bool> over{false};
    std::atomic<int> wrong{0};
    std::thread starter([&] {
        while (!over)
            wrong += mp::Pool(1, {.start_method = method}).apply(square, mp::args(2)) != 4;
    });
    std::thread submitter([&] {
        mp::Pool pool(2, {.start_method = method});
        mp::ThreadPool threads(2);
        while (!over) {
            wrong += pool.apply_async(square, mp::args(3)).get() != 9;
            wrong += threads.apply_async(square, mp::args(4)).get() != 16;
        }
    });
    for (int i = 0; i < 20; ++i) {
        const int copy = mp::os::fork();
        if (copy == 0) {
            const support::watchdog watchdog_of_copy(60);
            mp::os::_exit(pools_work(method) ? 0 : 1);
        }
        CHECK(mp::os::waitstatus_to_exitcode(mp::os::waitpid(copy).status) == 0);
    }
    over = true;
    starter.join();
    submitter.join();
    CHECK(wrong == 0);
}
