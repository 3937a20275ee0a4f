// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <random>
#include <ranges>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int square_slowly(int x) {
    std::this_thread::sleep_for(std::chrono::microseconds(x % 300));
    return x * x;
}

std::string longer(const std::string& text) {
    return text + text;
}

using torment = void (*)(int pid);

void kill(int pid) {
    mp::os::kill(pid, support::kill_signal);
}
void terminate(int pid) {
    mp::os::kill(pid, support::terminate_signal);
}

/// Does something to a random worker every few milliseconds, for as long as it lives.
class tormentor {
public:
    tormentor(mp::Pool& pool, std::vector<torment> torments, std::chrono::milliseconds pause)
        : thread_([this, &pool, torments = std::move(torments), pause] {
              std::mt19937 random(12345);
              while (!enough_) {
                  const auto pids = pool.worker_pids();
                  if (!pids.empty())
                      apply(torments[random() % torments.size()], pids[random() % pids.size()]);
                  std::this_thread::sleep_for(pause);
              }
          }) {}
    tormentor(const tormentor&) = delete;
    tormentor& operator=(const tormentor&) = delete;
    ~tormentor() {
        enough_ = true;
        thread_.join();
    }

private:
    static void apply(torment what, int pid) {
        try {
            what(pid);
        } catch (const std::system_error&) {  // It was gone already.
        }
    }

    std::atomic<bool> enough_{false};
    std::thread thread_;
};

struct tally {
    int results = 0;
    int lost = 0;
};

/// How long a worker takes from its start to its first result.
std::chrono::milliseconds time_to_work(const std::string& method) {
    const auto start = std::chrono::steady_clock::now();
    mp::Pool(1, {.start_method = method}).apply(square, mp::args(2));
    return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
}

/// Each result is what it must be, or the error of a lost worker.
template <class R>
tally count(const std::vector<mp::AsyncResult<R>>& results, const std::vector<R>& expected) {
    tally counted;
    for (std::size_t i = 0; i < results.size(); ++i) {
        try {
            const R result = results[i].get();
            REQUIRE(result == expected[i]);
            ++counted.results;
        } catch (const mp::WorkerLostError&) {
            ++counted.lost;
        }
    }
    return counted;
}

}  // namespace

TEST_CASE("pool: while workers are killed at random each task has its result or is lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(4, {.start_method = EVERY_START_METHOD});
    constexpr int tasks = 20000;
    std::vector<mp::AsyncResult<int>> results;
    std::vector<int> expected;
    {
        const tormentor thread(pool, {kill}, 2ms);
        for (int i = 0; i < tasks; ++i) {
            results.push_back(pool.apply_async(square_slowly, mp::args(i % 1000)));
            expected.push_back(i % 1000 * (i % 1000));
        }
        const tally counted = count(results, expected);
        CHECK(counted.results + counted.lost == tasks);
        CHECK(counted.results > counted.lost);
    }
    CHECK(pool.apply(square, mp::args(7)) == 49);
    pool.close();
    pool.join();
}

TEST_CASE("pool: while workers are killed at random large values stay whole") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    std::vector<mp::AsyncResult<std::string>> results;
    std::vector<std::string> expected;
    {
        const tormentor thread(pool, {kill, terminate}, 3ms);
        for (int i = 0; i < 300; ++i) {
            const std::string text(static_cast<std::size_t>(i * 997),
                                   static_cast<char>('a' + i % 26));
            results.push_back(pool.apply_async(longer, mp::args(text)));
            expected.push_back(text + text);
        }
        const tally counted = count(results, expected);
        CHECK(counted.results + counted.lost == 300);
    }
    CHECK(pool.apply(longer, mp::args("ab")) == "abab");
}

TEST_CASE("pool: workers that are stopped and continued at random lose nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(4, {.start_method = EVERY_START_METHOD});
    const std::vector<int> numbers(5000, 3);
    const auto pids = pool.worker_pids();
    {
        const tormentor thread(
            pool, {support::stop_process, support::continue_process, support::continue_process},
            1ms);
        for (int round = 0; round < 5; ++round)
            CHECK(pool.map(square, numbers, {.chunksize = 1}) == std::vector<int>(5000, 9));
    }
    CHECK(pool.worker_pids() == pids);
    for (const int pid : pids)
        support::continue_process(pid);
}

TEST_CASE("pool: killing its workers while it is closed and joined ends it all the same") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    // A worker that is killed before it has started, 64 times over, is one that cannot start.
    const auto pause = time_to_work(method);
    for (int round = 0; round < 10; ++round) {
        mp::Pool pool(3, {.start_method = method});
        std::vector<mp::AsyncResult<int>> results;
        const tormentor thread(pool, {kill}, pause);
        for (int i = 0; i < 200; ++i)
            results.push_back(pool.apply_async(square, mp::args(2)));
        pool.close();
        pool.join();
        const tally counted = count(results, std::vector<int>(200, 4));
        CHECK(counted.results + counted.lost == 200);
    }
}

TEST_CASE("pool: terminated at random moments it leaves nothing and nobody waiting") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::mt19937 random(99);
    for (int round = 0; round < 20; ++round) {
        mp::Pool pool(2, {.start_method = method});
        const auto result = pool.map_async(square, std::vector<int>(3000, 2), {.chunksize = 1});
        bool as_it_must_be = false;
        std::thread waiter([&] {
            try {
                as_it_must_be = result.get() == std::vector<int>(3000, 4);
            } catch (const mp::ProcessError&) {
                as_it_must_be = true;
            }
        });
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
        pool.terminate();
        waiter.join();
        CHECK(as_it_must_be);
        CHECK(result.ready());
    }
}

TEST_CASE("pool: of 100,000 elements, while workers are killed, each comes once or is lost") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(4, {.start_method = EVERY_START_METHOD});
    constexpr int tasks = 100000;
    std::vector<int> seen(tasks);
    int lost = 0;
    {
        const tormentor thread(pool, {kill}, 3ms);
        auto results = pool.imap_unordered([](int x) { return x; }, std::views::iota(0, tasks));
        for (bool more = true; more;) {
            try {
                const auto result = results.next();
                more = result.has_value();
                if (more)
                    ++seen.at(static_cast<std::size_t>(*result));
            } catch (const mp::WorkerLostError&) {
                ++lost;
            }
        }
    }
    CHECK(std::count(seen.begin(), seen.end(), 1) == tasks - lost);
    CHECK(std::count(seen.begin(), seen.end(), 0) == lost);
    CHECK(lost < tasks / 2);
}

TEST_CASE("pool: while workers are killed at random tasks with retries all give their results") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    const tormentor thread(pool, {kill}, 5ms);
    std::vector<int> numbers(3000);
    std::iota(numbers.begin(), numbers.end(), 0);
    const auto found = pool.map(
        [](int x) {
            std::this_thread::sleep_for(std::chrono::microseconds(x % 300));
            return x;
        },
        numbers, {.chunksize = 1, .retries = 1000});
    CHECK(found == numbers);
}
