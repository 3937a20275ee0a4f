// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/robust_mutex.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/other_process.hpp"
#include "support/processes.hpp"
#include "support/rounds.hpp"
#include "support/shared_page.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace {

using multiprocessing::args;
using multiprocessing::detail::deadline;
using multiprocessing::detail::handle;
using multiprocessing::detail::robust_mutex;
using support::other_process;
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

constexpr int turns = support::rounds(20'000);

void work(guarded& shared) {
    for (int i = 0; i < turns; ++i) {
        const attempt taken(shared.cell);
        if (!taken.locked || shared.a != shared.b)
            multiprocessing::os::_exit(1);
        ++shared.a;
        ++shared.b;
        robust_mutex(shared.cell).unlock();
    }
}
void work_elsewhere(handle page) {
    work(*shared_page<guarded>(std::move(page)));
}

TEST_CASE("robust_mutex: one holder at a time, threads and processes alike") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    {
        other_process one(method, work_elsewhere, args(page.lend()));
        other_process two(method, work_elsewhere, args(page.lend()));
        std::thread three([&] { work(*page); });
        work(*page);
        three.join();
        CHECK(one.wait() == 0);
        CHECK(two.wait() == 0);
    }
    CHECK(page->a == 4 * turns);
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

void hold_for_ever(handle page, handle to) {
    const shared_page<guarded> shared(std::move(page));
    const attempt taken(shared->cell);
    support::say(to, taken.locked ? "held" : "free");
    support::run_for_ever();
}

TEST_CASE("robust_mutex: a holder's death is told once, and wakes who waits") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    for (int i = 0; i < 20; ++i) {
        support::gate gate;
        other_process holder(method, hold_for_ever, args(page.lend(), gate.writer()));
        REQUIRE(support::hear(gate.ends.reader) == "held");
        CHECK_FALSE(attempt(page->cell, deadline::after(5ms)).locked);
        std::thread killer([&] { holder.kill(); });
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

void contend(handle page) {
    const shared_page<guarded> shared(std::move(page));
    for (;;) {
        const attempt taken(shared->cell);
        if (!taken.locked)
            multiprocessing::os::_exit(1);
        ++shared->a;
        robust_mutex(shared->cell).unlock();
    }
}

// glibc wakes one sleeper of many; killed before it has the mutex, it once took the wake-up with
// it.
TEST_CASE("robust_mutex: killed at random, waiting or holding, nobody else is kept out") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const std::size_t victims = method == "fork" ? 400 / support::part_of_rounds : 40;  // A fresh program takes its time.
    const shared_page<guarded> page;
    REQUIRE_FALSE(robust_mutex::create(page->cell));
    const auto contender = [&] {
        return std::make_unique<other_process>(method, contend, args(page.lend()));
    };
    std::vector<std::unique_ptr<other_process>> crowd;
    for (int i = 0; i < 4; ++i)
        crowd.push_back(contender());
    for (std::size_t i = 0; i < victims; ++i) {
        auto& victim = crowd[i % crowd.size()];
        const auto before = page->a;
        while (attempt(page->cell).locked && page->a == before) {
            robust_mutex(page->cell).unlock();
            std::this_thread::yield();
        }
        robust_mutex(page->cell).unlock();
        victim->kill();
        CHECK(victim->wait() == -support::kill_signal);
        victim = contender();
    }
    crowd.clear();
    CHECK(attempt(page->cell).locked);
    robust_mutex(page->cell).unlock();
}

}  // namespace
