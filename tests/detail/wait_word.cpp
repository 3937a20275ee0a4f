// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/wait_word.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/other_process.hpp"
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/shared_page.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

namespace {

using multiprocessing::args;
using multiprocessing::detail::deadline;
using multiprocessing::detail::handle;
using multiprocessing::detail::wait_word;
using support::other_process;
using support::shared_page;
using namespace std::chrono_literals;

#if defined(MULTIPROCESSING_POSIX)
bool asleep(const wait_word::cell& cell) {
    return (cell.load() & 1U) != 0;
}
#else
bool asleep(const wait_word::cell& cell) {
    return wait_word::has_sleeper(cell);
}
#endif
void await_sleeper(const wait_word::cell& cell) {
    while (!asleep(cell))
        std::this_thread::yield();
}

TEST_CASE("wait_word: counts from zero, by any step, and round at 2^31") {
    wait_word::cell cell{};
    wait_word word(cell);
    CHECK(word.count() == 0);
    word.advance(1);
    word.advance(5000);
    CHECK(word.count() == 5001);
    CHECK(wait_word::count(cell) == 5001);
    word.advance(0x7fffffffU - 5001);
    CHECK(word.count() == 0x7fffffffU);
    word.advance(2);
    CHECK(word.count() == 1);
}

TEST_CASE("wait_word: to advance tells whether it found somebody asleep, or the mark of one") {
    const std::uint32_t steps = GENERATE(1U, 5'000U);
    wait_word::cell cell{};
    wait_word word(cell);
    CHECK_FALSE(word.advance(steps));
    CHECK_FALSE(word.wait(steps, deadline::after(1ms)));
    REQUIRE(asleep(cell));  // Its time ran out, and the mark is left.
    CHECK(word.advance(steps));
    CHECK_FALSE(word.advance(steps));
    CHECK(word.count() == 3 * steps);
}

TEST_CASE("wait_word: a wait for a count that has passed returns at once") {
    wait_word::cell cell{};
    wait_word word(cell);
    word.advance(3);
    CHECK_FALSE(word.wait(2, deadline::never()));
    CHECK_FALSE(asleep(cell));
}

TEST_CASE("wait_word: a wait lasts at least as long as it was asked to") {
    wait_word::cell cell{};
    wait_word word(cell);
    for (const auto limit : {0ms, 1ms, 60ms}) {
        const auto start = std::chrono::steady_clock::now();
        CHECK_FALSE(word.wait(0, deadline::after(limit)));
        CHECK(std::chrono::steady_clock::now() - start >= limit);
    }
    CHECK_FALSE(word.wait(0, deadline::now()));
}

TEST_CASE("wait_word: the bit of a sleeper whose time ran out costs the next step nothing") {
    wait_word::cell cell{};
    wait_word word(cell);
    for (const std::uint32_t steps : {1U, 1000U, 1001U, 100'000U}) {
        const auto before = word.count();
        CHECK_FALSE(word.wait(before, deadline::after(1ms)));
        CHECK(asleep(cell));
        word.advance(steps);
        CHECK(word.count() == before + steps);
        CHECK_FALSE(asleep(cell));
    }
}

struct words {
    wait_word::cell there;
    wait_word::cell back;
};
constexpr std::uint32_t rounds = 300;

void echo_steps(handle page, std::uint32_t steps) {
    const shared_page<words> shared(std::move(page));
    wait_word there(shared->there);
    wait_word back(shared->back);
    for (std::uint32_t i = 0; i < rounds; ++i) {
        while (there.count() == i * steps)
            there.wait(i * steps, deadline::never());
        if (there.count() != (i + 1) * steps)
            multiprocessing::os::_exit(1);  // A count in the middle of a step was seen.
        back.advance(steps);
    }
}

TEST_CASE("wait_word: every step wakes the sleeper of another process") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (const std::uint32_t steps : {1U, 2U, 999U, 1000U, 1001U, 4096U}) {
        const shared_page<words> page;
        other_process echo(method, echo_steps, args(page.lend(), steps));
        wait_word there(page->there);
        wait_word back(page->back);
        for (std::uint32_t i = 0; i < rounds; ++i) {
            if (i % 2 == 0)
                await_sleeper(page->there);
            there.advance(steps);
            while (back.count() == i * steps)
                CHECK_FALSE(back.wait(i * steps, deadline::never()));
        }
        CHECK(echo.wait() == 0);
    }
}

void sleep_on(handle page, std::uint32_t seen) {
    const shared_page<wait_word::cell> cell(std::move(page));
    wait_word(*cell).wait(seen, deadline::never());
}
void await_step(handle page, std::uint32_t seen) {
    const shared_page<wait_word::cell> cell(std::move(page));
    wait_word word(*cell);
    while (word.count() == seen)
        word.wait(seen, deadline::never());
}

// The one wake-up of a step once went to the killed sleeper, which had not left the kernel yet.
TEST_CASE("wait_word: a step is seen by the successor of a sleeper that was killed") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const shared_page<wait_word::cell> page;
    const std::string method = EVERY_START_METHOD;
    const std::uint32_t sleepers = method == "fork" ? 200 / support::part_of_rounds : 20;  // A fresh program takes its time.
    for (std::uint32_t i = 0; i < sleepers; ++i) {
        other_process sleeper(method, sleep_on, args(page.lend(), i));
        await_sleeper(*page);
        sleeper.kill();
        if (i % 2 == 0)
            sleeper.wait();
        other_process successor(method, await_step, args(page.lend(), i));
        wait_word(*page).advance(1);
        CHECK(successor.wait() == 0);
    }
}

#if defined(MULTIPROCESSING_POSIX)  // Windows interrupts no wait for a handler.
// What a signal handler interrupts is a wait; the wait goes on.
TEST_CASE("wait_word: signals do not end a wait") {
    const support::watchdog watchdog;
    struct sigaction before {};
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGUSR1, &nothing, &before) == 0);
    wait_word::cell cell{};
    std::atomic<bool> woken{false};
    std::thread sleeper([&] {
        wait_word(cell).wait(0, deadline::never());
        woken = true;
    });
    for (int i = 0; i < 100; ++i) {
        await_sleeper(cell);
        ::pthread_kill(sleeper.native_handle(), SIGUSR1);
        CHECK_FALSE(woken);
    }
    wait_word(cell).advance(1);
    sleeper.join();
    ::sigaction(SIGUSR1, &before, nullptr);
}
#endif

}  // namespace
