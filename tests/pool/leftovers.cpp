// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/mappings.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

std::size_t mapped_blocks() {
    return support::mapped_blocks().size();
}

#if defined(MULTIPROCESSING_POSIX)
/// What this worker shares with its pool, besides the rings.
mp::detail::worker_control& control() {
    for (const auto block : support::mapped_blocks())
        if (block.size() == mp::detail::worker_channel::control_bytes)
            return *reinterpret_cast<mp::detail::worker_control*>(block.data());
    throw std::logic_error("this is no worker");
}

int lose_count(int x) {
    control().taken += 1000;
    return x;
}

/// The task behind this one is taken, though nobody has taken it; another one waits behind that.
int skip_one(int x) {
    auto& shared = control();
    while (mp::detail::wait_word::count(shared.tasks.writer.count) <= shared.taken + 1)
        std::this_thread::yield();
    shared.taken += 1;
    return x;
}

/// The pool sleeps, and is not to be woken.
int forget_to_ring(int x) {
    auto& shared = control();
    while (shared.ring_wanted == 0)
        std::this_thread::yield();
    shared.ring_wanted = 0;
    return x;
}

/// Takes back the reply before this one.
int lose_a_reply(int x) {
    control().replies.writer.count -= 2;
    return x;
}

/// Writes over what waits behind this task: as if each word were the beginning of a long one.
int write_over_the_next() {
    auto& shared = control();
    while (mp::detail::wait_word::count(shared.tasks.writer.count) <= shared.taken)
        std::this_thread::yield();
    using mp::detail::record;
    const std::uint64_t header = record::header(mp::detail::record_kind::message, 4000);
    for (const auto block : support::mapped_blocks())
        if (block.size() != mp::detail::worker_channel::control_bytes)
            for (std::size_t i = 0; i < block.size(); i += sizeof header)
                std::memcpy(block.data() + i, &header, sizeof header);
    return 1;
}
#endif

/// Has a pool of three, whose workers it names, and does with it what `Body` says.
template <class Body>
void be_parent_of_workers(mp::detail::handle to, const std::string& method) {
    auto* const pool = new mp::Pool(3, {.start_method = method});  // Never destroyed.
    std::string pids;
    for (const int pid : pool->worker_pids())
        pids += std::to_string(pid) + " ";
    support::say(to, pids);
    Body()(*pool);
    std::exit(0);
}

/// A child of this one that has a pool of three, whose workers it names.
class parent_of_workers {
public:
    /// A `Body` is called in the child with its pool.
    template <class Body>
    parent_of_workers(const std::string& method, Body)
        : process_(be_parent_of_workers<Body>, mp::args(gate_.writer(), method),
                   {.start_method = method}) {
        process_.start();
        std::istringstream pids(support::hear(gate_.ends.reader));
        for (int& worker : workers_)
            REQUIRE(pids >> worker);
    }

    void kill() { process_.kill(); }
    int wait() {
        process_.join();
        return process_.exitcode().value();
    }
    void await_end_of_workers() const {
        for (const int worker : workers_)
            support::await([&] { return support::is_gone(worker); });
    }

private:
    support::gate gate_;
    mp::Process process_;
    int workers_[3] = {};
};

}  // namespace

TEST_CASE("pool: a pool in mid-work leaves no process, handle or memory") {
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

TEST_CASE("pool: a pool left by an exception leaves no process, handle or memory") {
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

TEST_CASE("pool: workers that are replaced leave no handle or memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    pool.apply(square, mp::args(1));  // What is made once is there from here on.
    const std::size_t blocks = mapped_blocks();
    const std::size_t handles = support::count_handles();
    constexpr std::size_t losses = 30;
    for (std::size_t i = 0; i < losses; ++i)
        CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    pool.apply(square, mp::args(1));
    CHECK(mapped_blocks() == blocks);
    // Wine has a few of its own, more or less; one left by each loss would be seen.
    CHECK(support::count_handles() < handles + losses);
}

TEST_CASE("pool: when the parent is killed in the middle its workers are gone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    parent_of_workers parent(EVERY_START_METHOD, [](mp::Pool& pool) {
        for (;;)
            pool.map(square, std::vector<int>(1000, 1), {.chunksize = 1});
    });
    std::this_thread::sleep_for(20ms);  // Any moment will do.
    parent.kill();
    CHECK(parent.wait() == -support::kill_signal);
    parent.await_end_of_workers();
}

TEST_CASE("pool: when the parent is killed workers in a long task are gone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    parent_of_workers parent(EVERY_START_METHOD, [](mp::Pool& pool) {
        pool.apply_async(sleep_for_ever);
        pool.apply(sleep_for_ever);
    });
    parent.kill();
    CHECK(parent.wait() == -support::kill_signal);
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
        for (const auto block : support::mapped_blocks())
            std::memset(block.data(), byte, block.size());
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

#if defined(MULTIPROCESSING_POSIX)
// The worker took the damaged count for one that the pool had moved, and passed over all that came.
TEST_CASE("pool: a task that damages the count of tasks leaves no worker that is deaf") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(lose_count, mp::args(3)) == 3);
    pool.apply_async(square, mp::args(4)).wait();  // Lost, where that worker was given it.
    CHECK(pool.apply(square, mp::args(5)) == 25);
}

// The next task had the result of the one behind it, which nobody answered.
TEST_CASE("pool: a task that skips the one behind it does not mix up the results of others") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto damage = pool.apply_async(skip_one, mp::args(3));
    const auto next = pool.apply_async(square, mp::args(10));
    const auto last = pool.apply_async(square, mp::args(20));
    CHECK(damage.get() == 3);
    CHECK_THROWS_AS(next.get(), mp::WorkerLostError);
    CHECK(last.get() == 400);
}

// The reply lay there, and both slept.
TEST_CASE("pool: a task that writes over the pool's wish to be woken leaves nobody waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(forget_to_ring, mp::args(3)) == 3);
    CHECK(pool.apply(square, mp::args(5)) == 25);
}

// The worker read on from a place where the pool did not write: it never saw the request to end.
TEST_CASE("pool: a task that damages what waits behind it keeps no join waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto damage = pool.apply_async(write_over_the_next);
    const auto next = pool.apply_async(square, mp::args(4));
    damage.wait();
    CHECK_THROWS(next.get());
    pool.close();
    pool.join();
    CHECK(pool.worker_pids().empty());
}

// The pool saw no reply, and the worker slept.
TEST_CASE("pool: a task that damages the count of replies leaves nobody waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply(square, mp::args(2)) == 4);
    CHECK_THROWS_AS(pool.apply(lose_a_reply, mp::args(3)), mp::WorkerLostError);
    CHECK(pool.apply(square, mp::args(5)) == 25);
}
#endif
