// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/deadline.hpp>

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <ratio>

#include "support/catch.hpp"

using multiprocessing::timeout;
using multiprocessing::detail::deadline;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST_CASE("timeout: durations of every kind become nanoseconds") {
    CHECK_FALSE(timeout());
    CHECK_FALSE(timeout(std::nullopt));
    CHECK_FALSE(timeout(std::optional<std::chrono::seconds>()));
    CHECK(timeout(std::optional<std::chrono::seconds>(2s)) == nanoseconds(2s));
    CHECK(timeout(3ms) == nanoseconds(3ms));
    CHECK(timeout(-1h) == nanoseconds(-1h));
    CHECK(timeout(std::chrono::duration<double>(0.5)) == nanoseconds(500ms));
    CHECK(timeout(std::chrono::duration<float>(-2)) == nanoseconds(-2s));
    CHECK(timeout(std::chrono::duration<long long, std::pico>(5000)) == 5ns);
    CHECK(timeout(std::chrono::duration<unsigned char>(7)) == nanoseconds(7s));
}

TEST_CASE("timeout: what nanoseconds cannot count is as long as they can") {
    // hours::max() overflowed to a wait of no time at all.
    using real = std::chrono::duration<double>;
    CHECK(timeout(std::chrono::hours::max()) == nanoseconds::max());
    CHECK(timeout(std::chrono::hours::min()) == nanoseconds::min());
    CHECK(timeout(std::chrono::milliseconds::max()) == nanoseconds::max());
    CHECK(timeout(nanoseconds::max()) == nanoseconds::max());
    CHECK(timeout(real(std::numeric_limits<double>::infinity())) == nanoseconds::max());
    CHECK(timeout(real(-std::numeric_limits<double>::infinity())) == nanoseconds::min());
    CHECK_THROWS_AS(timeout(real(std::nan(""))), multiprocessing::ValueError);
    CHECK(timeout(std::chrono::duration<unsigned long long>(~0ULL)) == nanoseconds::max());
}

TEST_CASE("deadline: none and more than the clock counts are never") {
    CHECK(deadline::after({}).is_never());
    CHECK(deadline::after(nanoseconds::max()).is_never());
    CHECK(deadline::after(std::chrono::hours::max()).is_never());
    CHECK_FALSE(deadline::never().passed());
    CHECK_FALSE(deadline::never().remaining());
}

TEST_CASE("deadline: zero and less are at once, without a look at the clock") {
    for (const auto& until : {deadline::after(0s), deadline::after(-1ns),
                              deadline::after(nanoseconds::min()), deadline::now()}) {
        CHECK(until.immediate());
        CHECK(until.passed());
        CHECK(until.remaining() == 0ns);
    }
}

TEST_CASE("deadline: what is left shrinks, but not below zero") {
    const auto until = deadline::after(1h);
    CHECK_FALSE(until.passed());
    CHECK(*until.remaining() <= 1h);
    CHECK(*until.remaining() > 59min);
    const auto soon = deadline::after(1ns);
    while (!soon.passed()) {
    }
    CHECK(soon.remaining() == 0ns);
    CHECK_FALSE(soon.immediate());
    CHECK(until.moment() > soon.moment());
}
