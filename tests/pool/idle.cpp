// SPDX-License-Identifier: MIT
// POSIX only: how often a thread was woken is read from /proc.
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

using activity = std::map<std::string, std::string>;

/// How often a thread has gone to sleep or was made to wait.
std::string switches_of(const std::filesystem::path& thread) {
    std::ifstream status(thread / "status");
    std::string found;
    for (std::string line; std::getline(status, line);)
        if (line.find("ctxt_switches") != std::string::npos)
            found += line + ' ';
    return found;
}

/// All threads of the workers, and of this process those that are not the caller. The thread
/// sanitizer has a thread of its own, which looks ten times a second: there, the workers' first
/// threads only.
activity activity_of(const std::vector<int>& workers) {
    activity found;
    const auto add = [&](int pid) {
        const std::filesystem::path process = "/proc/" + std::to_string(pid);
        for (const auto& thread : std::filesystem::directory_iterator(process / "task")) {
            const std::string number = thread.path().filename();
            const bool is_first = number == std::to_string(pid);
            const bool is_caller = is_first && pid == mp::os::getpid();
#if defined(MULTIPROCESSING_THREAD_SANITIZER)
            const bool is_of_interest = is_first && !is_caller;
#else
            const bool is_of_interest = !is_caller;
#endif
            if (is_of_interest)
                found[thread.path()] = switches_of(thread);
        }
    };
    for (const int pid : workers)
        add(pid);
    add(mp::os::getpid());
    return found;
}

}  // namespace

TEST_CASE("pool: 64 workers that have nothing to do sleep, and the pool with them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(64, {.start_method = EVERY_START_METHOD});
    const std::vector<int> numbers(1000, 3);
    CHECK(pool.map([](int x) { return x * x; }, numbers) == std::vector<int>(1000, 9));
    const auto result = pool.apply_async([] { return 1; });
    CHECK(result.get() == 1);
    const auto pids = pool.worker_pids();
    REQUIRE(pids.size() == 64);
    // Until all are asleep; for one that looks again and again the watchdog is the end.
    activity before;
    activity now = activity_of(pids);
    do {
        before = now;
        std::this_thread::sleep_for(300ms);
        now = activity_of(pids);
    } while (now != before);
    REQUIRE(now.size() >= 64);
    CHECK(now.begin()->second.find("nonvoluntary") != std::string::npos);
}
