// SPDX-License-Identifier: MIT
// What an imap makes of ranges that are slow, of elements that cannot be written, and of those that
// nobody waits for any more.
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/gated_task.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int never_return(int) {
    support::run_for_ever();
}

/// Numbers each of which takes a millisecond to come, and how many have come.
auto slow_numbers(int count, int& taken) {
    return std::views::iota(0, count) | std::views::transform([&taken](int x) {
               std::this_thread::sleep_for(1ms);
               taken = x + 1;
               return x;
           });
}

/// Cannot be written where it is a multiple of three and not zero: at the first call that asks for
/// its size, or at the second one, that writes it.
struct unwritable {
    int value = 0;
    bool late = false;
    mutable int calls = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        if (value != 0 && value % 3 == 0 && ++calls > (late ? 2 : 0))
            throw std::runtime_error(std::to_string(value) + " cannot be written");
        archive(value);
    }
};

int value_of(const unwritable& element) {
    return element.value;
}

std::vector<unwritable> unwritables(bool late) {
    std::vector<unwritable> elements;
    for (int i = 0; i < 8; ++i)
        elements.push_back({i, late});
    return elements;
}

/// Every result or the text of what was thrown in its place.
template <class R>
std::vector<std::string> told_by(mp::IMapIterator<R> results) {
    std::vector<std::string> told;
    for (;;)
        try {
            const auto result = results.next();
            if (!result)
                return told;
            told.push_back(std::to_string(*result));
        } catch (const std::runtime_error& error) {
            told.push_back(error.what());
        }
}

using texts = std::vector<std::string>;

}  // namespace

// Elements were handed over, and more of them asked for, as long as the range had some: the time
// was looked at only when all the places, 256 a worker, were full.
TEST_CASE("pool: next times out although the range goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto results = pool.imap(never_return, slow_numbers(100000, taken));
    CHECK_THROWS_AS(results.next(10ms), mp::TimeoutError);
    CHECK_THROWS_AS(results.next(0s), mp::TimeoutError);
    CHECK(taken < 200);
    auto unordered = pool.imap_unordered(never_return, slow_numbers(100000, taken));
    CHECK_THROWS_AS(unordered.next(10ms), mp::TimeoutError);
    CHECK(taken < 200);
}

TEST_CASE("pool: a chunk that takes longer than next may wait is made whole later") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto stuck = pool.imap(never_return, slow_numbers(100000, taken), {.chunksize = 100});
    CHECK_THROWS_AS(stuck.next(5ms), mp::TimeoutError);
    CHECK(taken < 200);
    std::vector<int> values;
    std::vector<int> expected;
    mp::Pool other(1, {.start_method = mp::get_all_start_methods().front()});
    auto results = other.imap(square, slow_numbers(250, taken), {.chunksize = 100});
    for (int i = 0; i < 250; ++i) {
        expected.push_back(i * i);
        std::optional<int> value;
        while (!value)
            try {
                value = results.next(2ms);
                REQUIRE(value);
            } catch (const mp::TimeoutError&) {  // Asked again.
            }
        values.push_back(*value);
    }
    CHECK(values == expected);
    CHECK_FALSE(results.next());
}

// The size of an element was asked for while it was taken from the range, so that its error was
// taken for one of the range: imap threw, or the stream ended and threw twice.
TEST_CASE("pool: an element that cannot be written fails in its place, alone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const texts one_by_one{"0", "1", "2", "3 cannot be written", "4", "5", "6 cannot be written",
                           "7"};
    const texts by_two{"0", "1", "3 cannot be written", "4", "5", "6 cannot be written"};
    for (const bool late : {false, true}) {
        CHECK(told_by(pool.imap(value_of, unwritables(late))) == one_by_one);
        CHECK(told_by(pool.imap(value_of, unwritables(late), {.buffersize = 1})) == one_by_one);
        CHECK(told_by(pool.imap(value_of, unwritables(late), {.chunksize = 2})) == by_two);
        CHECK(told_by(pool.imap_unordered(value_of, unwritables(late))).size() == 8);
    }
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

// The worker had been given a hundred, and went through all of them.
TEST_CASE(
    "pool: letting go of a stream gives up also what its worker was given and has not begun") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    support::gate of_begun;
    support::gate of_end;
    {
        mp::Pool pool(1,
                      {.initializer = {support::keep_ends, std::tuple(of_begun.writer(), of_end.reader())},
                       .start_method = method});
        std::vector<mp::AsyncResult<int>> others;
        {
            const auto results = pool.imap(support::say_and_stay, std::views::iota(0));
            for (int i = 0; i < 20; ++i)  // They stand behind, at the same worker.
                others.push_back(pool.apply_async(square, mp::args(i)));
            support::read_exactly(of_begun.ends.reader.get(), 1);
        }
        of_end.open();  // For one: a second would stay for ever.
        for (int i = 0; i < 20; ++i)
            CHECK(others[static_cast<std::size_t>(i)].get() == i * i);
        pool.close();
        pool.join();
    }
    of_begun.ends.writer.reset();
    CHECK(support::hear(of_begun.ends.reader).empty());
}

// One worker after the other died of it, as often as it had been allowed.
TEST_CASE("pool: letting go of a stream ends its retries") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto die = [](int) -> int { mp::os::_exit(3); };
    {
        auto results = pool.imap(die, std::views::iota(0), {.buffersize = 1, .retries = 1'000'000});
        CHECK_THROWS_AS(results.next(20ms), mp::TimeoutError);
    }
    CHECK(pool.apply(square, mp::args(3)) == 9);
    const auto workers = pool.worker_pids();
    for (int i = 0; i < 20; ++i)
        CHECK(pool.apply(square, mp::args(i)) == i * i);
    CHECK(pool.worker_pids() == workers);
}
