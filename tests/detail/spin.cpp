// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/spin.hpp>

#include <chrono>

#include "support/catch.hpp"
#include "support/watchdog.hpp"

namespace {

namespace detail = multiprocessing::detail;

TEST_CASE("spin: a look that finds what it looks for is the last one") {
    if (!detail::may_spin())
        return;  // With one processor nobody looks at all.
    int looks = 0;
    CHECK(detail::spin_until([&] { return ++looks == 3; }, std::chrono::hours(1)));
    CHECK(looks == 3);
}

TEST_CASE("spin: what does not come is given up") {
    int looks = 0;
    const auto never = [&] {
        ++looks;
        return false;
    };
    CHECK_FALSE(detail::spin_until(never, std::chrono::nanoseconds(1)));
    CHECK_FALSE(detail::spin_until(never, detail::short_look, 1000));
    CHECK((looks > 0) == detail::may_spin());
}

TEST_CASE("spin: the first look behind a sleep, of either side, lets others run first") {
    detail::patience patience;
    CHECK_FALSE(patience.lets_others_first());
    patience.has_woken();
    CHECK(patience.lets_others_first());
    CHECK_FALSE(patience.lets_others_first());
    { const detail::patience::sleep none(patience); }
    CHECK(patience.lets_others_first());
    patience.has_woken();
    CHECK(patience.spin([] { return true; }) == detail::may_spin());
    CHECK_FALSE(patience.lets_others_first());
}

TEST_CASE("spin: patience gives up, too, after a sleep of any length") {
    detail::patience patience;
    const auto never = [] { return false; };
    CHECK_FALSE(patience.spin(never));
    { const detail::patience::sleep none(patience); }
    CHECK_FALSE(patience.spin(never, 8));
    CHECK(patience.spin([] { return true; }) == detail::may_spin());
}

TEST_CASE("spin: yields become rare where looks find something, and many where yields do") {
    detail::yield_pace pace;
    CHECK(pace.time() == std::chrono::nanoseconds(0));
    pace.came_meanwhile();
    CHECK(pace.time() > std::chrono::nanoseconds(0));
    const int pauses = pace.pauses();
    for (int i = 0; i < 3; ++i)
        pace.came_with_a_yield();
    CHECK(pace.time() > std::chrono::nanoseconds(0));
    pace.came_with_a_yield();
    CHECK(pace.time() == std::chrono::nanoseconds(0));
    CHECK(pace.pauses() < pauses);
    pace.came_meanwhile();
    CHECK(pace.time() > std::chrono::nanoseconds(0));
    CHECK(pace.pauses() == pauses);
}

TEST_CASE("spin: that the other runs here is doubted now and then, by a longer look") {
    detail::yield_pace pace;
    int short_looks = 0;
    int long_looks = 0;
    for (int i = 0; i < 1'000; ++i) {
        pace.came_with_a_yield();
        (pace.pauses() < 32 ? short_looks : long_looks) += 1;
    }
    CHECK(short_looks > 10 * long_looks);
    CHECK(long_looks > 20);
}

TEST_CASE("spin: yields that bring it by chance do not add up") {
    detail::yield_pace pace;
    for (int i = 0; i < 100; ++i) {
        for (int k = 0; k < 3; ++k)
            pace.came_with_a_yield();
        pace.came_meanwhile();
        CHECK(pace.time() > std::chrono::nanoseconds(0));
    }
}

TEST_CASE("spin: patience finds what comes after any number of looks, at any gap and pace") {
    if (!detail::may_spin())
        return;
    detail::patience patience;
    const int gap = GENERATE(1, 16, 64);
    for (int round = 0; round < 20; ++round)
        for (const int needed : {1, 2, 3}) {
            int looks = 0;
            CHECK(patience.spin([&] { return ++looks == needed; }, gap));
            CHECK(looks == needed);
        }
}

}  // namespace
