// SPDX-License-Identifier: MIT
// POSIX only: a pool's workers and groups of processes, of a terminal's Ctrl-C and of their own.
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;
using namespace std::chrono_literals;

namespace {

int nap(int x) {
    std::this_thread::sleep_for(5ms);
    return x;
}

/// Works on for ever with a pool whose workers it tells, as the leader of a group of its own.
[[noreturn]] void work(const std::string& method, const mpd::handle& told) {
    ::setpgid(0, 0);
    mp::Pool pool(2, {.start_method = method});
    pool.apply(nap, mp::args(1));
    const auto pids = pool.worker_pids();
    support::say(told, std::to_string(pids[0]) + " " + std::to_string(pids[1]) + " ");
    for (;;)
        pool.map(nap, std::vector<int>(100, 1), {.chunksize = 1});
}

/// Leaves a process behind.
int leave_behind() {
    const int left = mp::os::fork();
    if (left == 0)
        support::run_for_ever();
    return left;
}

/// How many descriptors a worker looks through where its limit says fewer.
constexpr int usual_limit = 1024;
constexpr int many = usual_limit + 200;

bool may_have(::rlim_t descriptors) {
    ::rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max >= descriptors;
}
void limit_descriptors(::rlim_t descriptors) {
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = descriptors;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// A copy of this process that opens descriptors above those that are usual, runs `body` and ends.
template <class Body>
int fork_with_many_descriptors(Body body) {
    const int copy = mp::os::fork();
    if (copy != 0)
        return copy;
    try {
        limit_descriptors(many + 100);
        for (int last = 0; last < many;)
            if ((last = ::dup(2)) == -1)
                mp::os::_exit(3);
        body();
    } catch (...) {
        mp::os::_exit(2);
    }
    mp::os::_exit(0);
}

}  // namespace

TEST_CASE("pool: Ctrl-C ends the parent at once, its workers with it, without a word from them") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    support::gate told;
    support::gate errors;
    const int parent = mp::os::fork();
    if (parent == 0) {
        ::dup2(errors.ends.writer.get(), 2);
        work(method, told.ends.writer);
    }
    const std::string text = support::hear(told.ends.reader);
    const int first = std::stoi(text);
    const int second = std::stoi(text.substr(text.find(' ')));
    // As a terminal does: to all of the group in the foreground.
    REQUIRE(::kill(-parent, SIGINT) == 0);
    CHECK(mp::os::waitstatus_to_exitcode(mp::os::waitpid(parent).status) == -SIGINT);
    support::await([&] { return support::is_gone(first) && support::is_gone(second); });
    errors.ends.writer.reset();
    CHECK(support::hear(errors.ends.reader).empty());
}

// A worker looked for its tie to the parent among the first 1,024 descriptors alone.
TEST_CASE("pool: what a task has left behind goes with a parent that has many descriptors") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    if (!may_have(many + 100)) {
        WARN("no more descriptors are allowed here than a worker looks through anyway");
        return;
    }
    support::gate told;
    const int parent = fork_with_many_descriptors([&] {
        mp::Pool pool(1, {.start_method = method});
        support::say(told.ends.writer, std::to_string(pool.apply(leave_behind)) + " ");
        support::run_for_ever();
    });
    const int left = std::stoi(support::hear(told.ends.reader));
    CHECK_FALSE(support::is_gone(left));
    REQUIRE(::kill(parent, SIGKILL) == 0);
    mp::os::waitpid(parent);
    support::await([&] { return support::is_gone(left); });
}

// Whatever its limit is by then: it does not look.
TEST_CASE("pool: a forked worker knows its tie") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    if (!may_have(many + 100)) {
        WARN("no more descriptors are allowed here than a worker looks through anyway");
        return;
    }
    const int parent = fork_with_many_descriptors([&] {
        mp::Process leader([] {
            limit_descriptors(usual_limit);
            mpd::lead_group();
            const int tie = mpd::posix::tie_of_fork;
            mp::os::_exit(tie > many && ::fcntl(tie, F_GETOWN) == -::getpid() ? 7 : 1);
        });
        leader.start();
        leader.join();
        mp::os::_exit(*leader.exitcode());
    });
    CHECK(mp::os::waitstatus_to_exitcode(mp::os::waitpid(parent).status) == 7);
}
