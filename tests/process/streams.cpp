// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <string>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/run_program.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

using support::contains;
using support::count_of;

namespace {

std::string tell(const std::string& story, const std::string& method) {
    const auto result = support::run_program({support::child_program("stories"), story, method});
    CHECK(result.exitcode == 0);
    return result.out;
}

}  // namespace

TEST_CASE("process: no output is lost or doubled when it is a pipe") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string story = GENERATE("output", "output_unsynced");
    const auto out = tell(story, EVERY_START_METHOD);
    for (const auto* line : {"parent C\n", "parent C++\n", "child C\n", "child C++\n",
                             "child C error\n", "child C++ log\n", "parent after\n"})
        CHECK(count_of(out, line) == 1);
    CHECK(out.find("parent C\n") < out.find("child C\n"));
    CHECK(out.find("child C++\n") < out.find("parent after\n"));
}

TEST_CASE("process: an exception is told by type and text, after what was written before") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto out = tell("throw", EVERY_START_METHOD);
    CHECK(contains(out, "Process Process-1:\n(anonymous namespace)::custom_error: it broke\n"));
    CHECK(count_of(out, "parent C\n") == 1);
    CHECK(count_of(out, "child C\n") == 1);
    CHECK(count_of(out, "child C++\n") == 1);
    CHECK(contains(out, "exitcode 1\n"));
}

TEST_CASE("process: an exception that is no std::exception is told by its type") {
    const support::watchdog guard;
    const std::string method = EVERY_START_METHOD;
    const auto out = tell("throw_number", method);
    CHECK(contains(out, "Process Process-1:\nint: an exception that is no std::exception\n"));
    CHECK(contains(out, "exitcode 1\n"));
    CHECK(contains(tell("throw_bad_alloc", method), "std::bad_alloc: std::bad_alloc\n"));
}

TEST_CASE("process: an exit in the child runs the child's handlers and none of the parent's") {
    // std::exit in a forked child ran the parent's handlers and destroyed its static objects.
    const support::watchdog guard;
    const auto out = tell("exit", EVERY_START_METHOD);
    CHECK(contains(out, "exitcode 4\n"));
    CHECK(count_of(out, "child C\n") == 1);
    CHECK(count_of(out, "child's handler\n") == 2);
    CHECK(count_of(out, "parent's handler in") == 1);
    CHECK(count_of(out, "static destroyed by") == 1);
}

TEST_CASE("process: a child's standard input is empty") {
    const support::watchdog guard;
    CHECK(tell("input", EVERY_START_METHOD) == "child read nothing\n");
}

TEST_CASE("process: a parent without standard streams starts children") {
    const support::watchdog guard;
    CHECK(tell("no_streams", EVERY_START_METHOD) == "exitcode 0\n");
}

TEST_CASE("process: output that cannot be written does not keep a child from starting and ending") {
    const support::watchdog guard;
    CHECK(contains(tell("full", EVERY_START_METHOD), "exitcode 0\n"));
}
