// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <csignal>
#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
#include "support/posix/failing_process_calls.hpp"
#include "support/posix/forked.hpp"

#include <sys/prctl.h>

namespace {

namespace mp = multiprocessing;

/// While it lives, a process whose parent has died becomes a child of this one.
class heir {
public:
    heir() { REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0); }
    heir(const heir&) = delete;
    heir& operator=(const heir&) = delete;
    ~heir() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

    /// Returns when all that came since this was made have ended.
    void wait_for_all() const {
        for (auto left = heirlooms(); !left.empty(); left = heirlooms())
            for (const int pid : left)
                REQUIRE(::waitpid(pid, nullptr, 0) == pid);
    }

private:
    std::set<int> heirlooms() const {
        auto found = support::children();
        for (const int pid : before_)
            found.erase(pid);
        return found;
    }

    const std::set<int> before_ = support::children();
};

/// A program dies at the `nth` call while it starts four workers; returns when all of them are gone.
void die_while_starting(support::failing_call& call, int nth, const std::string& method) {
    const heir heir;
    support::forked program([&] {
        support::die_at(call, nth);
        mp::Pool pool(4, {.start_method = method});
    });
    const int status = program.wait();
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
    heir.wait_for_all();
}

}  // namespace

TEST_CASE("pool: a program that is killed before one of several starts leaves no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (int nth = 1; nth <= 4; ++nth)
        die_while_starting(method == "fork" ? support::fork_call : support::clone_call, nth, method);
}

TEST_CASE("pool: a program that is killed right behind one of several forks leaves no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int nth = 1; nth <= 4; ++nth)
        die_while_starting(support::pidfd_open_call, nth, "fork");
}

TEST_CASE("pool: a program that is killed before it listens to a worker leaves none") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    for (int nth = 2; nth <= 5; ++nth)  // The first is that of the bell.
        die_while_starting(support::epoll_ctl_call, nth, method);
}
#endif
