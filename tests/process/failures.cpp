// SPDX-License-Identifier: MIT
// POSIX only: on Windows a program cannot put functions of its own in the place of the system's.
#include <multiprocessing/process.hpp>

#include <cerrno>
#include <string>
#include <system_error>

#include "support/catch.hpp"
#include "support/posix/failing_process_calls.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using support::contains;

namespace {

void nothing() {}

/// The text of the failure to start, after which the same process can still be started.
std::string failed_start(support::failing_call& call, int error, const std::string& method) {
    mp::Process p(nothing, {.name = "victim", .start_method = method});
    std::string text;
    {
        const support::failure failing(call, error);
        try {
            p.start();
        } catch (const std::system_error& failure) {
            CHECK(failure.code() == std::error_code(error, std::system_category()));
            text = failure.what();
        }
    }
    CHECK_FALSE(p.is_alive());
    CHECK(mp::active_children().empty());
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    return text;
}

}  // namespace

TEST_CASE("process: a system without room for a fork is an error that says so") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(contains(failed_start(support::fork_call, EAGAIN, "fork"), "fork process 'victim'"));
}

TEST_CASE("process: a failing pipe is an error, and nothing is left behind") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    CHECK(contains(failed_start(support::pipe2_call, EMFILE, method),
                   method == "fork" ? "fork process 'victim'" : "again as a child"));
}

TEST_CASE("process: a child that cannot be watched is ended and waited for") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(
        contains(failed_start(support::pidfd_open_call, EMFILE, "fork"), "fork process 'victim'"));
}

TEST_CASE("process: a child that was waited for before it could be watched counts as started") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = "fork"});
    {
        const support::failure failing(support::pidfd_open_call, ESRCH);
        p.start();
    }
    CHECK(mp::os::waitpid(*p.pid()).pid == p.pid());
    CHECK(p.join());
    CHECK(p.exitcode() == 255);
    p.kill();
    p.close();
}

TEST_CASE("process: failing shared memory or clone is an error of spawn") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(contains(failed_start(support::memfd_create_call, EMFILE, "spawn"),
                   "create shared memory for a spawned job"));
    CHECK(contains(failed_start(support::clone_call, EAGAIN, "spawn"), "again as a child"));
}
