// Windows only: it is the system that takes no more than 64 objects in one wait.
// SPDX-License-Identifier: MIT
#include <multiprocessing/multiprocessing.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/os/doorbell.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;

namespace {

using namespace std::chrono_literals;
using key_list = std::vector<std::uint64_t>;

TEST_CASE("windows: of two hundred bells each is heard, and those that ring on hide none") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpd::wait_set set;
    REQUIRE_FALSE(mpd::wait_set::create(set));
    std::vector<mpd::doorbell> bells(200);
    for (std::size_t i = 0; i < bells.size(); ++i) {
        REQUIRE_FALSE(mpd::doorbell::create(bells[i]));
        REQUIRE_FALSE(set.add(bells[i].native(), i));
    }
    key_list keys;
    CHECK_FALSE(set.wait(mpd::deadline::after(20ms), keys));
    CHECK(keys.empty());
    REQUIRE_FALSE(bells[0].ring());
    REQUIRE_FALSE(bells[100].ring());
    for (const std::size_t i : {1, 62, 63, 64, 65, 127, 128, 199, 64}) {
        std::thread ringer([&] { bells[i].ring(); });
        do {
            REQUIRE_FALSE(set.wait(mpd::deadline::never(), keys));
        } while (std::find(keys.begin(), keys.end(), i) == keys.end());
        ringer.join();
        bells[i].silence();
    }
    set.remove(bells[0].native());
    set.remove(bells[100].native());
    CHECK_FALSE(set.wait(mpd::deadline::now(), keys));
    CHECK(keys.empty());
}

TEST_CASE("windows: connection::wait takes more ends than the system takes objects") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::vector<std::pair<mp::Connection, mp::Connection>> pipes;
    std::vector<mp::Connection> readers;
    for (int i = 0; i < 150; ++i) {
        pipes.push_back(mp::Pipe({.duplex = false}));
        readers.push_back(pipes.back().first);
    }
    CHECK(mp::connection::wait(readers, 10ms).empty());
    for (const std::size_t i : {149, 64, 63, 0}) {
        std::thread sender([&] { pipes[i].second.send(7); });
        CHECK(mp::connection::wait(readers) == std::vector{readers[i]});
        sender.join();
        CHECK(readers[i].recv<int>() == 7);
    }
    pipes[100].second.close();
    CHECK(mp::connection::wait(readers) == std::vector{readers[100]});
}

int twice(int number) {
    return 2 * number;
}

TEST_CASE("windows: a pool of more workers than the system waits for works and ends") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(70);
    std::vector<int> numbers(500, 4);
    CHECK(pool.map(twice, numbers) == std::vector<int>(500, 8));
    pool.close();
    pool.join();
}

// The runtime library of MinGW forgets a thread's objects before it destroys them: each thread that
// took a lock once left a handle behind.
TEST_CASE("windows: threads that used a queue leave no handle") {
    mp::Queue<int> queue;
    const auto use = [&] {
        queue.put(1);
        queue.get();
    };
    std::thread(use).join();
    const auto before = support::count_handles();
    constexpr std::size_t threads = 30;
    for (std::size_t i = 0; i < threads; ++i)
        std::thread(use).join();
    // Wine has one of its own, more or less; one left by each thread would be seen.
    CHECK(support::count_handles() < before + threads);
}

}  // namespace
