// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <span>
#include <string>
#include <vector>

#include <multiprocessing/queues.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

mp::Queue<int>* tickets = nullptr;

void keep(mp::Queue<int>& queue) {
    tickets = new mp::Queue<int>(queue);
}

/// Dies for as long as there are tickets.
int die_by_ticket(int x) {
    try {
        tickets->get_nowait();
    } catch (const mp::Empty&) {
        return x;
    }
    support::die_of(support::kill_signal);
    return -1;
}

double sum_by_ticket(std::span<const double> values) {
    double sum = die_by_ticket(0);
    for (const double value : values)
        sum += value;
    return sum;
}

int die() {
    mp::os::_exit(3);
}

void fill(mp::Queue<int>& queue, int count) {
    for (int i = 0; i < count; ++i)
        queue.put(i);
}

}  // namespace

TEST_CASE("pool: a task whose worker is lost is run again, as often as was asked") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    mp::Pool pool(1, {.initializer = {keep, mp::args(queue)}, .start_method = EVERY_START_METHOD});
    fill(queue, 3);
    CHECK(pool.apply(die_by_ticket, mp::args(7), {.retries = 3}) == 7);
    fill(queue, 3);
    CHECK_THROWS_AS(pool.apply(die_by_ticket, mp::args(7), {.retries = 2}), mp::WorkerLostError);
    CHECK(pool.apply_async(die_by_ticket, mp::args(8), {.retries = 2}).get() == 8);
    CHECK_THROWS_AS(pool.apply(die, mp::args(), {.retries = 4}), mp::WorkerLostError);
}

TEST_CASE("pool: a span is lent anew to the worker that runs the task again") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    mp::Pool pool(2, {.initializer = {keep, mp::args(queue)}, .start_method = EVERY_START_METHOD});
    const std::vector<double> values(1 << 16, 1.0);
    fill(queue, 2);
    const auto result =
        pool.apply_async(sum_by_ticket, mp::args(std::span(values)), {.retries = 2});
    CHECK(result.get() == 1 << 16);
    fill(queue, 2);
    CHECK_THROWS_AS(pool.apply(sum_by_ticket, mp::args(std::span(values)), {.retries = 1}),
                    mp::WorkerLostError);
}

TEST_CASE("pool: the chunks of a map are run again one by one") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Queue<int> queue;
    mp::Pool pool(2, {.initializer = {keep, mp::args(queue)}, .start_method = EVERY_START_METHOD});
    const std::vector<int> numbers{1, 2, 3, 4, 5, 6, 7, 8};
    fill(queue, 4);
    CHECK(pool.map(die_by_ticket, numbers, {.chunksize = 2, .retries = 4}) == numbers);
    fill(queue, 4);
    std::vector<int> seen;
    for (const int x : pool.imap(die_by_ticket, numbers, {.retries = 4}))
        seen.push_back(x);
    CHECK(seen == numbers);
}
