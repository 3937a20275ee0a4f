// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/run_program.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

// The output of a program ends when all processes that hold it have ended: run_program returns only
// when no child and grandchild is left, and hangs where one is.

namespace {

support::program_result tell(const std::string& story, const std::string& method) {
    return support::run_program({support::child_program("stories"), story, method});
}

}  // namespace

TEST_CASE("process: children and grandchildren are gone when the parent is killed") {
    const support::watchdog guard(60);
    const support::leftovers check;
    CHECK(tell("killed", EVERY_START_METHOD).exitcode == -support::kill_signal);
}

TEST_CASE("process: a child does not die with the thread that started it") {
    const support::watchdog guard(60);
    CHECK(tell("short_thread", EVERY_START_METHOD).out == "child lives on\nexitcode 0\n");
}

TEST_CASE("process: a child that may outlive its parent does, and is not waited for") {
    const support::watchdog guard(60);
    CHECK(tell("outlive", EVERY_START_METHOD).out == "child outlived: parent is gone\n");
}

TEST_CASE("process: children are joined when the parent exits") {
    const support::watchdog guard(60);
    const auto result = tell("joined_at_exit", EVERY_START_METHOD);
    CHECK(result.out == "parent done\nchild done\n");
    CHECK(result.exitcode == 0);
}

TEST_CASE("process: daemons are terminated when the parent exits") {
    const support::watchdog guard(60);
    const auto result = tell("daemon_ends_at_exit", EVERY_START_METHOD);
    CHECK(result.out == "parent done\n");
    CHECK(result.exitcode == 0);
}

// The parent's exit waited for ever for a daemon with a handler of the parent's for SIGTERM.
TEST_CASE("process: a daemon that ignores its termination is killed when the parent exits") {
    const support::watchdog guard(60);
    const auto result = tell("stubborn_daemon", EVERY_START_METHOD);
    CHECK(result.out == "parent done\n");
    CHECK(result.exitcode == 0);
}

// A pool's thread went on replacing workers while the program's last destructors ran. Those lived on
// without a parent: glibc drops the hooks of fork there, and each had its own tie's other end.
TEST_CASE("process: no child is started once the program ends, and none is left") {
    const support::watchdog guard(60);
    const auto result = tell("starts_while_ending", EVERY_START_METHOD);
    CHECK(result.out == "no process can be started any more: this program is ending\n");
    CHECK(result.exitcode == 0);
}
