// SPDX-License-Identifier: MIT
// What is done is let go of: by the executor, by its streams, in its workers.
#include <multiprocessing/futures.hpp>

#include <ranges>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/counted.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mpf = multiprocessing::futures;
using support::counted;

namespace {

counted make(int number) {
    return counted(number);
}

int number_of(const counted& value) {
    return value.number;
}

int never_return() {
    support::run_for_ever();
}

void await_alive(int count) {
    support::await([&] { return counted::alive == count; });
}

}  // namespace

TEST_CASE("futures: an executor keeps nothing of work that is done and that nobody asks for") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 10; ++i)
        executor.submit(number_of, counted(i));
    CHECK(executor.submit(number_of, counted(3)).result() == 3);
    executor.submit(make, 4);
    CHECK(executor.submit(make, 5).result().number == 5);
    await_alive(0);
}

TEST_CASE("futures: a map keeps no results that have been read") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    auto results = executor.map(make, std::views::iota(0, 40), {.buffersize = 2});
    for (int i = 0; i < 40; ++i) {
        CHECK(results.next().value().number == i);
        CHECK(counted::alive <= 3);
    }
    CHECK_FALSE(results.next());
    await_alive(0);
}

// It kept all of them to its end: as much memory as all results take together.
TEST_CASE("futures: as_completed keeps no futures that it has given") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<counted>> futures;
    for (int i = 0; i < 8; ++i)
        futures.push_back(executor.submit(make, i));
    mpf::wait(futures);
    auto completed = mpf::as_completed(std::exchange(futures, {}));
    for (int left = 8; left > 0; --left) {
        await_alive(left);
        CHECK(completed.next().value().done());
    }
    await_alive(0);
    CHECK_FALSE(completed.next());
}

TEST_CASE("futures: as_completed with some that never come keeps none of the others") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto stuck = executor.submit([] { return counted(never_return()); });
    std::vector<mpf::Future<counted>> futures{stuck};
    for (int i = 0; i < 8; ++i)
        futures.push_back(executor.submit(make, i));
    {
        auto completed = mpf::as_completed(std::exchange(futures, {}));
        for (int i = 0; i < 8; ++i)
            CHECK(completed.next().value().done());
        await_alive(0);
    }
    stuck.terminate();
}

TEST_CASE("futures: a worker keeps neither arguments nor results when its task is done") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 5; ++i) {
        CHECK(executor.submit(number_of, counted(i)).result() == i);
        CHECK(executor.submit(support::counted_alive).result() == 0);
        CHECK(executor.submit(make, i).result().number == i);
        CHECK(executor.submit(support::counted_alive).result() == 0);
    }
}
