// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/robust_mutex.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/posix/forked.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

using multiprocessing::detail::deadline;
using multiprocessing::detail::robust_mutex;
using support::forked;
using support::shared_page;
using namespace std::chrono_literals;

struct guarded {
    robust_mutex::cell cell;
    std::uint64_t a;
    std::uint64_t b;
};

struct attempt {
    explicit attempt(robust_mutex::cell& cell, const deadline& until = deadline::never())
        : error(robust_mutex(cell).lock(until, locked, abandoned)) {}
    bool locked = false;
    bool abandoned = false;
    std::error_code error;
};

TEST_CASE("robust_mutex: one holder at a time, threads and processes alike") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    const auto work = [&] {
        for (int i = 0; i < 20'000; ++i) {
            const attempt taken(page->cell);
            if (!taken.locked || page->a != page->b)
                ::_exit(1);
            ++page->a;
            ++page->b;
            robust_mutex(page->cell).unlock();
        }
    };
    {
        forked one(work);
        forked two(work);
        std::thread three(work);
        work();
        three.join();
        CHECK(one.wait() == 0);
        CHECK(two.wait() == 0);
    }
    CHECK(page->a == 80'000);
}

TEST_CASE("robust_mutex: who asks for a time waits at least that long") {
    const support::watchdog watchdog;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    REQUIRE(attempt(page->cell).locked);
    std::thread([&] {
        for (const auto limit : {0ms, 1ms, 50ms, 1100ms}) {
            const auto start = std::chrono::steady_clock::now();
            const attempt late(page->cell, deadline::after(limit));
            CHECK_FALSE(late.locked);
            CHECK_FALSE(late.error);
            CHECK(std::chrono::steady_clock::now() - start >= limit);
        }
    }).join();
    robust_mutex(page->cell).unlock();
    CHECK(attempt(page->cell, deadline::now()).locked);
    robust_mutex(page->cell).unlock();
}

TEST_CASE("robust_mutex: its holder is refused, not left waiting for itself") {
    const support::watchdog watchdog;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    REQUIRE(attempt(page->cell).locked);
    CHECK(attempt(page->cell).error == std::errc::resource_deadlock_would_occur);
    robust_mutex(page->cell).unlock();
    CHECK(attempt(page->cell).locked);
    robust_mutex(page->cell).unlock();
}

TEST_CASE("robust_mutex: a holder's death is told once, and wakes who waits") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    for (int i = 0; i < 20; ++i) {
        forked holder([&] {
            attempt taken(page->cell);
            ::raise(SIGSTOP);
        });
        holder.wait_stopped();
        CHECK_FALSE(attempt(page->cell, deadline::after(5ms)).locked);
        std::thread killer([&] { holder.signal(SIGKILL); });
        const attempt next(page->cell);
        killer.join();
        CHECK(next.locked);
        CHECK(next.abandoned);
        robust_mutex(page->cell).unlock();
        const attempt after(page->cell);
        CHECK(after.locked);
        CHECK_FALSE(after.abandoned);
        robust_mutex(page->cell).unlock();
    }
}

// glibc wakes one sleeper of many; killed before it has the mutex, it once took the wake-up with
// it.
TEST_CASE("robust_mutex: killed at random, waiting or holding, nobody else is kept out") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    const auto contend = [&] {
        for (;;) {
            const attempt taken(page->cell);
            if (!taken.locked)
                ::_exit(1);
            ++page->a;
            robust_mutex(page->cell).unlock();
        }
    };
    std::vector<std::unique_ptr<forked>> crowd;
    for (int i = 0; i < 4; ++i)
        crowd.push_back(std::make_unique<forked>(contend));
    for (std::size_t i = 0; i < 400; ++i) {
        auto& victim = crowd[i % crowd.size()];
        const auto before = page->a;
        while (attempt(page->cell).locked && page->a == before) {
            robust_mutex(page->cell).unlock();
            std::this_thread::yield();
        }
        robust_mutex(page->cell).unlock();
        victim->signal(SIGKILL);
        CHECK(victim->wait() == SIGKILL);
        victim = std::make_unique<forked>(contend);
    }
    crowd.clear();
    CHECK(attempt(page->cell).locked);
    robust_mutex(page->cell).unlock();
}

}  // namespace
