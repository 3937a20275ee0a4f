// SPDX-License-Identifier: MIT
// POSIX only: Windows has no fork.
// Forks in the middle of what other threads do with a queue.
#include <multiprocessing/queues.hpp>

#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include <multiprocessing/os.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/posix/forked.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using entry = std::pair<int, int>;

TEST_CASE("queue: a fork while another thread puts and gets finds the queue whole on both sides") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const long long maxsize = GENERATE(0, 4);
    mp::Queue<entry> queue(maxsize);
    std::atomic<bool> over{false};
    std::thread producer([&] {
        for (int i = 0; !over; ++i)
            queue.put({0, i});
    });
    std::map<int, int> next;
    std::thread consumer([&] {
        for (;;) {
            const auto [who, number] = queue.get();
            if (who < 0)
                break;
            if (number != next[who]++)
                FAIL("producer " << who << " lost or doubled a message");
        }
    });
    constexpr int children = support::rounds(300);
    for (int child = 1; child <= children; ++child) {
        support::forked copy([&] {
            for (int i = 0; i < 20; ++i)
                queue.put({child, i});
        });
        CHECK(copy.wait() == 0);
    }
    over = true;
    producer.join();
    queue.put({-1, 0});
    consumer.join();
    for (int child = 1; child <= children; ++child)
        CHECK(next[child] == 20);
    CHECK(queue.empty());
}

TEST_CASE("queue: a used queue serves a forked child as it served its parent") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    for (int i = 0; i < 10; ++i)
        queue.put(i);
    support::forked child([&] {
        for (int i = 10; i < 20; ++i)
            queue.put(i);
    });
    CHECK(child.wait() == 0);
    for (int i = 0; i < 20; ++i)
        CHECK(queue.get() == i);
}

}  // namespace
