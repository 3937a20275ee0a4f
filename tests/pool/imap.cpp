// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <list>
#include <numeric>
#include <ranges>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
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

bool is_even(int x) {
    return x % 2 == 0;
}

void nothing(int) {}

std::string shout(const std::string& text) {
    return text + "!";
}

int throw_at_three(int x) {
    if (x == 3)
        throw std::out_of_range("three");
    return x;
}

int die_at_three(int x) {
    if (x == 3)
        mp::os::_exit(3);
    return x;
}

std::vector<int> numbers(int count) {
    std::vector<int> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), 0);
    return values;
}

std::vector<int> squares(int count) {
    std::vector<int> values;
    for (int i = 0; i < count; ++i)
        values.push_back(i * i);
    return values;
}

template <class R>
std::vector<R> all_of(mp::IMapIterator<R> results) {
    std::vector<R> values;
    for (R& value : results)
        values.push_back(std::move(value));
    return values;
}

template <class R>
std::vector<R> sorted(std::vector<R> values) {
    std::sort(values.begin(), values.end());
    return values;
}

}  // namespace

TEST_CASE("pool: imap gives results in order, whatever the chunks and the buffer") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    CHECK(all_of(pool.imap(square, numbers(5000))) == squares(5000));
    for (const int chunk : {2, 7, 100, 10000})
        CHECK(all_of(pool.imap(square, numbers(1000), {.chunksize = chunk})) == squares(1000));
    for (const int buffer : {1, 2, 3, 10, 100000})
        CHECK(all_of(pool.imap(square, numbers(300), {.buffersize = buffer})) == squares(300));
    CHECK(all_of(pool.imap(square, numbers(100), {.chunksize = 9, .buffersize = 20})) ==
          squares(100));
    CHECK(all_of(pool.imap(square, numbers(100), {.buffer_bytes = 1})) == squares(100));
}

TEST_CASE("pool: imap_unordered gives every result once") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(3, {.start_method = EVERY_START_METHOD});
    CHECK(sorted(all_of(pool.imap_unordered(square, numbers(5000)))) == squares(5000));
    for (const int chunk : {2, 7, 100})
        CHECK(sorted(all_of(pool.imap_unordered(square, numbers(1000), {.chunksize = chunk}))) ==
              squares(1000));
    CHECK(sorted(all_of(pool.imap_unordered(square, numbers(100), {.buffersize = 1}))) ==
          squares(100));
}

TEST_CASE("pool: imap_unordered does not wait for a slow element") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    auto results = pool.imap_unordered(
        [](int x) {
            if (x == 0)
                std::this_thread::sleep_for(24h);
            return x;
        },
        std::views::iota(0), {.buffersize = 8});
    std::set<int> seen;
    for (int i = 0; i < 1000; ++i)
        seen.insert(results.next().value());
    CHECK(seen.size() == 1000);
    CHECK(seen.count(0) == 0);
}

TEST_CASE("pool: next gives one result at a time and then none") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    auto results = pool.imap(square, numbers(3));
    CHECK(results.next() == 0);
    CHECK(results.next(24h) == 1);
    CHECK(results.next() == 4);
    CHECK_FALSE(results.next());
    CHECK_FALSE(results.next(0s));
    auto none = pool.imap(square, std::vector<int>{});
    CHECK_FALSE(none.next());
    CHECK(all_of(pool.imap_unordered(square, std::vector<int>{})).empty());
}

TEST_CASE("pool: next with a timeout throws and may be called again") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const bool ordered = GENERATE(true, false);
    mp::Pool pool(1, {.start_method = method});
    const auto sleep = [](int x) {
        std::this_thread::sleep_for(50ms * x);
        return x;
    };
    const std::vector<int> times{0, 2};
    auto results = ordered ? pool.imap(sleep, times) : pool.imap_unordered(sleep, times);
    CHECK(results.next() == 0);
    CHECK_THROWS_AS(results.next(0s), mp::TimeoutError);
    CHECK_THROWS_AS(results.next(1ms), mp::TimeoutError);
    CHECK(results.next() == 2);
}

TEST_CASE("pool: imap takes elements as they are asked for, a few ahead") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto endless = std::views::iota(0) | std::views::transform([&](int x) {
                       taken = x + 1;
                       return x;
                   });
    auto results = pool.imap(square, endless, {.buffersize = 10});
    CHECK(taken <= 10);
    for (int i = 0; i < 100; ++i) {
        CHECK(results.next() == i * i);
        CHECK(taken <= i + 11);
    }
}

TEST_CASE("pool: imap over an endless range of large elements takes no more memory") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    int taken = 0;
    auto endless = std::views::iota(0) | std::views::transform([&](int) {
                       ++taken;
                       return std::vector<char>(1 << 20);
                   });
    auto results = pool.imap_unordered([](std::vector<char> bytes) { return bytes; }, endless,
                                       {.buffer_bytes = 8 << 20});
    int read = 0;
    for (const auto& bytes : results) {
        CHECK(bytes.size() == 1 << 20);
        ++read;
        CHECK(taken - read <= 9);
        if (read == 60)
            break;
    }
}

TEST_CASE("pool: imap takes every kind of range and element") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::list<int> list{1, 2, 3};
    CHECK(all_of(pool.imap(square, list)) == std::vector<int>{1, 4, 9});
    std::istringstream text("1 2 3");
    CHECK(all_of(pool.imap(square, std::ranges::istream_view<int>(text))) ==
          std::vector<int>{1, 4, 9});
    const std::vector<std::string> words{"a", "b"};
    CHECK(all_of(pool.imap(shout, words)) == std::vector<std::string>{"a!", "b!"});
    CHECK(all_of(pool.imap(is_even, numbers(3))) == std::vector<bool>{true, false, true});
    CHECK(all_of(pool.imap([](bool x) { return !x; }, std::vector<bool>{true, false})) ==
          std::vector<bool>{false, true});
    int count = 0;
    for ([[maybe_unused]] auto none : pool.imap(nothing, numbers(10)))
        ++count;
    CHECK(count == 10);
}

TEST_CASE("pool: an element's error is thrown in its place, later ones still come") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    auto results = pool.imap(throw_at_three, numbers(6));
    for (int i = 0; i < 3; ++i)
        CHECK(results.next() == i);
    CHECK_THROWS_WITH(results.next(), "three");
    CHECK(results.next() == 4);
    CHECK(results.next() == 5);
    CHECK_FALSE(results.next());
    auto lost = pool.imap(die_at_three, numbers(6));
    for (int i = 0; i < 3; ++i)
        CHECK(lost.next() == i);
    CHECK_THROWS_AS(lost.next(), mp::WorkerLostError);
    CHECK(lost.next() == 4);
    CHECK(lost.next() == 5);
    CHECK_FALSE(lost.next());
}

TEST_CASE("pool: what the range throws comes after the results of what came before") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto broken = std::views::iota(0) | std::views::transform([](int x) {
                            if (x == 5)
                                throw std::runtime_error("the range is broken");
                            return x;
                        });
    for (const int chunk : {1, 2, 10}) {
        auto results = pool.imap(square, broken, {.chunksize = chunk});
        for (int i = 0; i < 5; ++i)
            CHECK(results.next() == i * i);
        CHECK_THROWS_WITH(results.next(), "the range is broken");
        CHECK_FALSE(results.next());
        auto unordered = pool.imap_unordered(square, broken, {.chunksize = chunk});
        for (int i = 0; i < 5; ++i)
            CHECK(unordered.next());
        CHECK_THROWS_WITH(unordered.next(), "the range is broken");
    }
    CHECK(pool.apply(square, mp::args(2)) == 4);
}

TEST_CASE("pool: the range of an imap may use the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto nested = std::views::iota(0, 20) | std::views::transform([&](int x) {
                            return pool.apply(square, mp::args(x));
                        });
    std::vector<int> expected;
    for (int i = 0; i < 20; ++i)
        expected.push_back(i * i * i * i);
    CHECK(all_of(pool.imap(square, nested)) == expected);
}

TEST_CASE("pool: letting go of an imap gives up what has not begun") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (int i = 0; i < 20; ++i) {
        auto results = pool.imap(square, std::views::iota(0));
        CHECK(results.next() == 0);
        auto moved = std::move(results);
        CHECK(moved.next() == 1);
    }
    pool.close();
    pool.join();
}

TEST_CASE("pool: an imap and the end of its pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    {
        mp::Pool pool(2, {.start_method = method});
        auto results = pool.imap(square, numbers(2000));
        pool.close();
        CHECK(all_of(std::move(results)) == squares(2000));
        CHECK_THROWS_AS(pool.imap(square, numbers(2)), mp::ValueError);
        pool.join();
    }
    {
        mp::Pool pool(1, {.start_method = method});
        int taken = 0;  // As many as came quickly: one at least, four at most.
        const auto count = [&](int x) {
            ++taken;
            return x;
        };
        auto results = pool.imap(square, std::views::iota(0) | std::views::transform(count),
                                 {.buffersize = 4});
        pool.close();
        pool.join();
        const int first = taken;
        CHECK(first >= 1);
        CHECK(first <= 4);
        for (int i = 0; i < first; ++i)
            CHECK(results.next() == i * i);
        CHECK_THROWS_AS(results.next(), mp::ProcessError);
    }
    mp::Pool pool(1, {.start_method = method});
    auto results = pool.imap([](int) { std::this_thread::sleep_for(24h); }, numbers(3));
    pool.terminate();
    CHECK_THROWS_AS(results.next(), mp::ProcessError);
}

TEST_CASE("pool: a chunksize or buffersize below one is a ValueError for imap") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.imap(square, numbers(2), {.chunksize = 0}), mp::ValueError);
    CHECK_THROWS_AS(pool.imap_unordered(square, numbers(2), {.chunksize = -1}), mp::ValueError);
    CHECK_THROWS_AS(pool.imap(square, numbers(2), {.buffersize = 0}), mp::ValueError);
}

TEST_CASE("pool: several threads read streams of one pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&, i] {
            auto results = pool.imap(square, std::views::iota(i));
            for (int n = i; n < i + 3000; ++n)
                right += results.next() == n * n;
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(right == 9000);
}
