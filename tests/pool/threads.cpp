// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

#if defined(MULTIPROCESSING_POSIX)
int blocked_signals() {
    ::sigset_t blocked;
    ::sigemptyset(&blocked);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    int count = 0;
    for (int signal = 1; signal < NSIG; ++signal)
        count += ::sigismember(&blocked, signal) == 1 ? 1 : 0;
    return count;
}
#endif

int sleep_and_square(int x) {
    std::this_thread::sleep_for(std::chrono::microseconds(x % 500));
    return x * x;
}

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

/// Catch2's checks are for one thread: the others count what was as it must be.
class crew {
public:
    template <class Function>
    void add(Function function) {
        threads_.emplace_back([this, function] { right_ += function(); });
    }
    int join() {
        for (auto& thread : threads_)
            thread.join();
        threads_.clear();
        return right_;
    }

private:
    std::atomic<int> right_{0};
    std::vector<std::thread> threads_;
};

/// Does something when the last copy of a value that holds it is destroyed.
struct at_end {
    std::shared_ptr<std::function<void()>> what;

    template <class Archive>
    void serialize(Archive&) {}

    ~at_end() {
        if (what && what.use_count() == 1)
            (*what)();
    }
    at_end() = default;
    at_end(const at_end&) = default;
    at_end(at_end&&) = default;
    at_end& operator=(const at_end&) = default;
    at_end& operator=(at_end&&) = default;
    explicit at_end(std::function<void()> does)
        : what(std::make_shared<std::function<void()>>(std::move(does))) {}
};

int take_end(const at_end&) {
    return 1;
}

mp::Pool* pool_of_hooks = nullptr;

/// Uses the pool while it is written, in the parent.
struct meddler {
    int value = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(value);
        if (pool_of_hooks != nullptr && mp::current_process().name() == "MainProcess")
            pool_of_hooks->apply_async(square, mp::args(1));
    }
};

int take_meddler(const meddler& m) {
    return m.value;
}

meddler make_meddler(int value) {
    return {value};
}

}  // namespace

TEST_CASE("pool: several threads apply, map and get at once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    crew threads;
    const auto apply = [&pool] {
        int right = 0;
        for (int i = 0; i < 300; ++i)
            right += pool.apply(square, mp::args(i)) == i * i;
        return right == 300;
    };
    const auto map = [&pool] {
        const std::vector<int> numbers(500, 4);
        int right = 0;
        for (int i = 0; i < 10; ++i)
            right += pool.map(square, numbers, {.chunksize = 1}) == std::vector<int>(500, 16);
        return right == 10;
    };
    const auto get = [&pool] {
        std::vector<mp::AsyncResult<int>> results;
        for (int i = 0; i < 300; ++i)
            results.push_back(pool.apply_async(sleep_and_square, mp::args(i)));
        int right = 0;
        for (int i = 299; i >= 0; --i)
            right += results[static_cast<std::size_t>(i)].get() == i * i;
        return right == 300;
    };
    for (int i = 0; i < 2; ++i) {
        threads.add(apply);
        threads.add(map);
        threads.add(get);
    }
    CHECK(threads.join() == 6);
}

TEST_CASE("pool: several threads wait for one result") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int round = 0; round < 30; ++round) {
        const auto result = pool.apply_async(sleep_and_square, mp::args(round * 17));
        crew threads;
        for (int i = 0; i < 4; ++i)
            threads.add([&, i] {
                if (i % 2 == 0)
                    result.wait(std::chrono::microseconds(round * 10));
                return result.get() == round * 17 * round * 17;
            });
        CHECK(threads.join() == 4);
    }
}

TEST_CASE("pool: a thread whose task is long does not keep one whose task is short") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto stuck = pool.apply_async(sleep_for_ever);
    crew waiters;
    waiters.add([&] {
        try {
            stuck.get();
        } catch (const mp::ProcessError&) {
            return true;
        }
        return false;
    });
    for (int i = 0; i < 200; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    pool.terminate();
    CHECK(waiters.join() == 1);
}

TEST_CASE("pool: threads submit while others terminate and join") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (int round = 0; round < 10; ++round) {
        mp::Pool pool(2, {.start_method = method});
        crew threads;
        for (int i = 0; i < 3; ++i)
            threads.add([&] {
                try {
                    for (int n = 0;; ++n)
                        if (pool.apply_async(square, mp::args(n % 100)).get() !=
                            n % 100 * (n % 100))
                            return false;
                } catch (const mp::ProcessError&) {  // It was terminated while it waited,
                } catch (const mp::ValueError&) {  // or before it was given the task.
                }
                return true;
            });
        for (int i = 0; i < 2; ++i)
            threads.add([&] {
                pool.terminate();
                pool.join();
                return true;
            });
        CHECK(threads.join() == 5);
    }
}

TEST_CASE("pool: a thread can submit while another drives a map of very many tasks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    constexpr std::size_t many = 400'000 / support::part_of_rounds;
    const auto long_map = pool.map_async(square, std::vector<int>(many, 2), {.chunksize = 1});
    crew threads;
    threads.add([&] { return long_map.get().size() == many; });
    for (int i = 0; i < 20; ++i)
        pool.apply_async(square, mp::args(i));
    CHECK_FALSE(long_map.wait(0s));
    CHECK(threads.join() == 1);
}

// The pool's lock was held: a mutex that is not recursive, locked twice.
TEST_CASE("pool: the destructor of an argument may use the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::atomic<int> sum{0};
    for (int i = 0; i < 50; ++i)
        pool.apply_async(take_end,
                         mp::args(at_end([&] { sum += pool.apply(square, mp::args(2)); })));
    pool.apply(take_end, mp::args(at_end([&] { sum += pool.apply(square, mp::args(2)); })));
    support::await([&] { return sum == 51 * 4; });
}

// Whoever used the pool next destroyed what was done, with locks held that the destructor wants.
TEST_CASE("pool: the destructor of an argument may wait for a lock that a caller holds") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    std::mutex mutex;
    std::atomic<int> ended{0};
    const auto stopped = pool.apply_async([] { support::stop_this_process(); });
    for (int i = 0; i < 300; ++i)
        pool.apply_async(take_end, mp::args(at_end([&] {
                             const std::lock_guard lock(mutex);
                             ++ended;
                         })));
    // From here on the pool alone has what the tasks are made of.
    const int worker = pool.worker_pids().at(0);
    support::await_stopped(worker);
    support::continue_process(worker);
    while (ended < 300) {
        {
            const std::lock_guard lock(mutex);
            REQUIRE(pool.apply(square, mp::args(2)) == 4);
        }
        std::this_thread::yield();  // A mutex is not fair.
    }
}

TEST_CASE("pool: values that use the pool while they are written or read get an error") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    pool_of_hooks = &pool;
    CHECK_THROWS_AS(pool.apply(take_meddler, mp::args(meddler{1})), mp::ProcessError);
    CHECK_THROWS_AS(pool.apply(make_meddler, mp::args(1)), mp::ProcessError);
    pool_of_hooks = nullptr;
    CHECK(pool.apply(take_meddler, mp::args(meddler{2})) == 2);
}

TEST_CASE("pool: pools may be used by each other's values") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool one(1, {.start_method = method});
    mp::Pool other(1, {.start_method = method});
    pool_of_hooks = &other;
    CHECK(one.apply(take_meddler, mp::args(meddler{1})) == 1);
    pool_of_hooks = nullptr;
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no signals between processes.
// The pool's thread took the signal that the program had blocked everywhere to wait for it.
TEST_CASE("pool: its thread leaves signals to the program, its workers do not") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK(pool.apply_async(square, mp::args(2)).get() == 4);  // It has a thread from here on.
    ::sigset_t set;
    ::sigset_t before;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGUSR1);
    ::pthread_sigmask(SIG_BLOCK, &set, &before);
    mp::os::kill(mp::os::getpid(), SIGUSR1);
    int signal = 0;
    CHECK(::sigwait(&set, &signal) == 0);
    CHECK(signal == SIGUSR1);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    // The thread itself replaces this worker.
    CHECK_THROWS_AS(pool.apply_async([] { mp::os::_exit(1); }).get(), mp::WorkerLostError);
    CHECK(pool.apply(blocked_signals) == 0);
}
#endif
