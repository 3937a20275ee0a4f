// SPDX-License-Identifier: MIT
#include <multiprocessing/context.hpp>

#include <algorithm>
#include <string>

#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/run_program.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using support::contains;
using support::message_of;

TEST_CASE("context: the default method is the first of all there are") {
    mp::set_start_method(std::nullopt, true);
    CHECK_FALSE(mp::get_start_method(true));
    CHECK(mp::get_start_method() == mp::get_all_start_methods().front());
    CHECK(mp::get_start_method(true) == mp::get_start_method());
}

TEST_CASE("context: the method is chosen once, unless by force") {
    const std::string method = EVERY_START_METHOD;
    mp::set_start_method(std::nullopt, true);
    mp::set_start_method(method);
    CHECK(mp::get_start_method() == method);
    CHECK(message_of<mp::ProcessError>([] { mp::set_start_method("spawn"); }) ==
          "context has already been set");
    CHECK(message_of<mp::ProcessError>([] { mp::set_start_method(std::nullopt); }) ==
          "context has already been set");
    mp::set_start_method("spawn", true);
    CHECK(mp::get_start_method() == "spawn");
    mp::set_start_method(std::nullopt, true);
}

TEST_CASE("context: to ask for the method or to make a process chooses the default for good") {
    mp::set_start_method(std::nullopt, true);
    SECTION("by asking") {
        mp::get_start_method();
    }
    SECTION("by making a process") {
        mp::Process p([] {});
    }
    SECTION("by choosing nothing") {
        mp::set_start_method(std::nullopt);
    }
    CHECK_THROWS_AS(mp::set_start_method("spawn"), mp::ProcessError);
    mp::set_start_method(std::nullopt, true);
}

TEST_CASE("context: an unknown method is refused with those that exist, and changes nothing") {
    mp::set_start_method("spawn", true);
    const bool force = GENERATE(false, true);
    const auto text = message_of<mp::ValueError>([&] { mp::set_start_method("teleport", force); });
    CHECK(contains(text, "'teleport'"));
    for (const auto& method : mp::get_all_start_methods())
        CHECK(contains(text, "'" + method + "'"));
    CHECK(mp::get_start_method() == "spawn");
    mp::set_start_method(std::nullopt, true);
}

TEST_CASE("context: children inherit what was chosen") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    const auto result = support::run_program({support::child_program("stories"), "chosen", method});
    CHECK(result.out == "child has " + method + "\n");
}
