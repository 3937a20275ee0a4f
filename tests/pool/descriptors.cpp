// SPDX-License-Identifier: MIT
// POSIX only: tasks use descriptors by their numbers, which Windows has not.
#include <multiprocessing/pool.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// What was open is open on nothing.
int replace_everything(int x) {
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const auto& [fd, target] : support::open_descriptors())
        if (fd > 2 && fd != nothing)
            ::dup2(nothing, fd);
    return x;
}

int write_garbage_everywhere(int x) {
    std::vector<char> garbage(20000);
    for (std::size_t i = 0; i < garbage.size(); ++i)
        garbage[i] = static_cast<char>(i * 7 + static_cast<std::size_t>(x));
    for (const auto& [fd, target] : support::open_descriptors()) {
        // Not to what the test was started with.
        if (fd <= 2 || (target.find("memfd:") == target.npos && target.find("anon_inode:") != 0))
            continue;
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        for (const std::size_t bytes : {std::size_t{8}, garbage.size()})
            static_cast<void>(!::write(fd, garbage.data(), bytes));
    }
    return x;
}

/// How many blocks of the library's shared memory this process has open, and how many mapped parts.
std::vector<int> shared_memory() {
    int open = 0;
    for (const auto& [fd, target] : support::open_descriptors())
        open += target.find("memfd:multiprocessing") != target.npos;
    int mapped = 0;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);)
        mapped += line.find("memfd:multiprocessing") != line.npos;
    return {open, mapped};
}

}  // namespace

// It rang at the file that was opened in the doorbell's place; the pool slept on.
TEST_CASE("pool: a task that opens other files under all numbers gives its result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 10; ++i)
        CHECK(pool.apply(replace_everything, mp::args(i)) == i);
    for (int i = 0; i < 50; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
}

TEST_CASE("pool: a task that writes garbage to every descriptor gives its result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    const auto garbage =
        pool.map_async(write_garbage_everywhere, std::vector<int>(60, 5), {.chunksize = 1});
    std::vector<mp::AsyncResult<int>> results;
    for (int i = 0; i < 200; ++i)
        results.push_back(pool.apply_async(square, mp::args(i)));
    CHECK(garbage.get() == std::vector<int>(60, 5));
    for (int i = 0; i < 200; ++i)
        CHECK(results[static_cast<std::size_t>(i)].get() == i * i);
}

// A forked worker had its elder siblings' rings open and mapped.
TEST_CASE("pool: a worker has its own memory only, not that of its siblings or of other pools") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool other(2, {.start_method = method});
    other.map(square, std::vector<int>(100, 1), {.chunksize = 1});
    mp::Pool pool(4, {.start_method = method});
    for (int i = 0; i < 4; ++i) {
        const auto seen = pool.apply(shared_memory);
        CHECK(seen[0] == 2);
        CHECK(seen[1] <= 4);  // The control page and a segment of each ring.
        CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    }
}
