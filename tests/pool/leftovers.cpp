// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/pool.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#include <unistd.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// The blocks of shared memory that this process has mapped.
std::size_t mapped_blocks() {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);)
        count += line.find("memfd:multiprocessing") != line.npos;
    return count;
}

/// A child of this one that has a pool of three, whose workers it names.
class parent_of_workers {
public:
    /// `body` is called in the child with its pool.
    template <class Body>
    parent_of_workers(const std::string& method, Body body) {
        int ends[2];
        REQUIRE(::pipe(ends) == 0);
        pid_ = mp::os::fork();
        if (pid_ == 0) {
            auto* const pool = new mp::Pool(3, {.start_method = method});  // Never destroyed.
            const auto pids = pool->worker_pids();
            static_cast<void>(!::write(ends[1], pids.data(), sizeof(int) * pids.size()));
            body(*pool);
            std::exit(0);
        }
        ::close(ends[1]);
        for (int& worker : workers_)
            REQUIRE(::read(ends[0], &worker, sizeof worker) == sizeof worker);
        ::close(ends[0]);
    }

    int pid() const noexcept { return pid_; }
    int wait() { return mp::os::waitstatus_to_exitcode(mp::os::waitpid(pid_).status); }
    void await_end_of_workers() const {
        for (const int worker : workers_)
            support::await([&] { return support::is_gone(worker); });
    }

private:
    int pid_ = 0;
    int workers_[3] = {};
};

}  // namespace

TEST_CASE("pool: a pool in mid-work leaves no process, descriptor or memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const std::size_t before = mapped_blocks();
    for (int round = 0; round < 10; ++round) {
        mp::Pool pool(3, {.start_method = method});
        const auto result = pool.map_async(square, std::vector<int>(500, 1), {.chunksize = 1});
        pool.apply_async(sleep_for_ever);
        if (round % 2 == 0)
            result.get();
    }
    CHECK(mapped_blocks() == before);
}

TEST_CASE("pool: a pool left by an exception leaves no process, descriptor or memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const std::size_t before = mapped_blocks();
    try {
        mp::Pool pool(2, {.start_method = method});
        pool.apply_async(sleep_for_ever);
        throw std::runtime_error("the user's");
    } catch (const std::runtime_error&) {
    }
    CHECK(mapped_blocks() == before);
}

TEST_CASE("pool: workers that are replaced leave no descriptor or memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    pool.apply(square, mp::args(1));
    const std::size_t blocks = mapped_blocks();
    const std::size_t descriptors = support::open_descriptors().size();
    for (int i = 0; i < 30; ++i)
        CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    pool.apply(square, mp::args(1));
    CHECK(mapped_blocks() == blocks);
    CHECK(support::open_descriptors().size() == descriptors);
}

TEST_CASE("pool: when the parent is killed in the middle its workers are gone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    parent_of_workers parent(EVERY_START_METHOD, [](mp::Pool& pool) {
        for (;;)
            pool.map(square, std::vector<int>(1000, 1), {.chunksize = 1});
    });
    std::this_thread::sleep_for(20ms);  // Any moment will do.
    mp::os::kill(parent.pid(), SIGKILL);
    CHECK(parent.wait() == -SIGKILL);
    parent.await_end_of_workers();
}

TEST_CASE("pool: when the parent is killed workers in a long task are gone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    parent_of_workers parent(EVERY_START_METHOD, [](mp::Pool& pool) {
        pool.apply_async(sleep_for_ever);
        pool.apply(sleep_for_ever);
    });
    mp::os::kill(parent.pid(), SIGKILL);
    CHECK(parent.wait() == -SIGKILL);
    parent.await_end_of_workers();
}

TEST_CASE("pool: a program that exits without ending its pool ends, with its workers") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    parent_of_workers parent(EVERY_START_METHOD, [](mp::Pool& pool) {
        pool.apply(square, mp::args(1));
        pool.apply_async(sleep_for_ever);
    });
    CHECK(parent.wait() == 0);
    parent.await_end_of_workers();
}

// The task fills whatever memory its process shares with the pool. It was given to one worker after
// the other, as if none had begun it.
TEST_CASE("pool: a task that writes over the pool's memory and dies leaves nobody waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto scribble = [](int byte) {
        std::ifstream maps("/proc/self/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.find("memfd:multiprocessing") == line.npos)
                continue;
            const auto dash = line.find('-');
            const std::uintptr_t begin = std::stoull(line.substr(0, dash), nullptr, 16);
            const std::uintptr_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
            std::memset(reinterpret_cast<void*>(begin), byte, end - begin);
        }
        mp::os::_exit(byte);
    };
    for (const int byte : {0xff, 0, 0x55, 1}) {
        pool.apply(square, mp::args(1));
        const auto damage = pool.apply_async(scribble, mp::args(byte));
        std::vector<mp::AsyncResult<int>> results;
        for (int i = 0; i < 50; ++i)
            results.push_back(pool.apply_async(square, mp::args(i)));
        CHECK_THROWS(damage.get());
        for (const auto& result : results)
            result.wait();
        CHECK(pool.apply(square, mp::args(3)) == 9);
    }
}
