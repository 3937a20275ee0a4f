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

}  // namespace
