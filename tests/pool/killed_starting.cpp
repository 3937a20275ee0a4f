// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <csignal>
#include <string>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
#include "support/posix/failing_process_calls.hpp"
#include "support/posix/forked.hpp"

namespace {

namespace mp = multiprocessing;

/// A program dies at the `nth` call while it starts four workers; returns when all of them are
/// gone: each has the writing end.
void die_while_starting(support::failing_call& call, int nth) {
    support::gate lives;
    support::forked program([&] {
        lives.ends.reader.reset();
        support::die_at(call, nth);
        mp::Pool pool(4, {.start_method = "fork"});
    });
    lives.ends.writer.reset();
    const int status = program.wait();
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
    CHECK(support::hear(lives.ends.reader).empty());
}

}  // namespace

TEST_CASE("pool: a program that is killed before one of several forks leaves no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int nth = 1; nth <= 4; ++nth)
        die_while_starting(support::fork_call, nth);
}

TEST_CASE("pool: a program that is killed right behind one of several forks leaves no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int nth = 1; nth <= 4; ++nth)
        die_while_starting(support::pidfd_open_call, nth);
}

TEST_CASE("pool: a program that is killed when it has forked, before it listens, leaves no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int nth = 2; nth <= 5; ++nth)  // The first is that of the bell.
        die_while_starting(support::epoll_ctl_call, nth);
}
#endif
