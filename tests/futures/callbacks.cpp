// SPDX-License-Identifier: MIT
// When callbacks are called, for every way in which a future ends.
#include <multiprocessing/futures.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpf = multiprocessing::futures;
using namespace std::chrono_literals;

namespace {

int square(int x) {
    return x * x;
}

int fail() {
    throw std::out_of_range("too far");
}

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

/// What a future's callback finds: 'c' for cancelled, 'e' for an error, 'r' for a result.
char kind_of(const mpf::Future<int>& future) {
    if (!future.done())
        return '?';
    if (future.cancelled())
        return 'c';
    return future.exception() ? 'e' : 'r';
}

/// What a callback that comes after the end finds, before adding it returns.
char kind_at_once(const mpf::Future<int>& future) {
    char kind = '?';
    future.add_done_callback([&](const mpf::Future<int>& one) { kind = kind_of(one); });
    return kind;
}

}  // namespace

TEST_CASE("futures: a callback that comes after the end is called at once, whatever the end was") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto good = executor.submit(square, 3);
    const auto bad = executor.submit(fail);
    bad.wait();
    CHECK(kind_at_once(good) == 'r');
    CHECK(kind_at_once(bad) == 'e');
    const auto stuck = executor.submit(sleep_for_ever);
    const auto waiting = executor.submit(square, 4);
    CHECK(waiting.cancel());
    CHECK(kind_at_once(waiting) == 'c');
    stuck.terminate();
    stuck.wait();
    CHECK(kind_at_once(stuck) == 'c');
    for (const auto& future : {good, bad, waiting, stuck})
        future.add_done_callback([](const auto&) { throw std::runtime_error("harms nothing"); });
}

TEST_CASE("futures: a callback is told that its future was cancelled before it began") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto stuck = executor.submit(sleep_for_ever);
    const auto waiting = executor.submit(square, 4);
    std::atomic<char> kind{'?'};
    waiting.add_done_callback([&](const auto& one) { kind = kind_of(one); });
    CHECK(waiting.cancel());
    support::await([&] { return kind == 'c'; });
    stuck.terminate();
}

TEST_CASE("futures: a callback is told of a lost worker, and of a time that is over") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    std::atomic<int> told{0};
    const auto lost = executor.submit([]() -> int { mp::os::_exit(3); });
    lost.add_done_callback([&](const auto& one) {
        try {
            one.result();
        } catch (const mp::WorkerLostError&) {
            ++told;
        }
    });
    support::await([&] { return told == 1; });
    const auto late = executor.submit({.timeout = 30ms}, sleep_for_ever);
    late.add_done_callback([&](const auto& one) {
        try {
            one.result();
        } catch (const mp::TimeoutError&) {
            ++told;
        }
    });
    support::await([&] { return told == 2; });
}

TEST_CASE("futures: exception waits for the end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(std::rethrow_exception(executor.submit(fail).exception()), std::out_of_range);
    CHECK_THROWS_AS(std::rethrow_exception(executor.submit(fail).exception(24h)),
                    std::out_of_range);
    CHECK_FALSE(executor.submit(square, 2).exception());
}
