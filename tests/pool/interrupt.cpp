// SPDX-License-Identifier: MIT
// POSIX only: what a terminal does at Ctrl-C is a signal to a process group.
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
