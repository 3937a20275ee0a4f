// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace mp = multiprocessing;

namespace {

void nothing() {}
int returns(int value) {
    return value;
}
void exits(int status) {
    std::exit(status);
}
void exits_at_once(int status) {
    mp::os::_exit(status);
}
#if defined(MULTIPROCESSING_POSIX)  // MinGW-w64 on msvcrt has no quick_exit.
void quick_exits(int status) {
    std::quick_exit(status);
}
void exits_from_a_handler() {
    std::at_quick_exit([] { std::_Exit(17); });
    std::quick_exit(3);
}
#endif
void throws() {
    static_cast<void>(!std::freopen(support::null_device, "w", stderr));  // What it prints is another test's.
    throw std::runtime_error("on purpose");
}
void throws_a_number() {
    static_cast<void>(!std::freopen(support::null_device, "w", stderr));
    throw 5;
}
#if defined(MULTIPROCESSING_POSIX)
void raises(int number) {
    std::signal(number, SIG_DFL);
    ::raise(number);
}
#else
void raises(int number) {
    support::die_of(number);
}
#endif

template <class... Ts>
std::optional<int> exitcode_of(void (*target)(Ts...), Ts... values, const std::string& method) {
    mp::Process p(target, mp::args(values...), {.start_method = method});
    p.start();
    p.join();
    return p.exitcode();
}

}  // namespace

TEST_CASE("process: the exit code is 0 when the target returns, whatever it returns") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    CHECK(exitcode_of<>(nothing, method) == 0);
    mp::Process p(returns, mp::args(9), {.start_method = method});
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
}

TEST_CASE("process: exit and its like give their status") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    const int status = GENERATE(0, 1, 8, 255);
    CHECK(exitcode_of<int>(exits, status, method) == status);
    CHECK(exitcode_of<int>(exits_at_once, status, method) == status);
#if defined(MULTIPROCESSING_POSIX)
    CHECK(exitcode_of<int>(quick_exits, status, method) == status);
    CHECK(exitcode_of<>(exits_from_a_handler, method) == 17);
#endif
}

TEST_CASE("process: an exception that leaves the target gives exit code 1") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    CHECK(exitcode_of<>(throws, method) == 1);
    CHECK(exitcode_of<>(throws_a_number, method) == 1);
}

TEST_CASE("process: a child killed by a signal has minus its number as exit code") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
#if defined(MULTIPROCESSING_POSIX)
    const int number = GENERATE(SIGTERM, SIGKILL, SIGINT, SIGUSR1, SIGALRM);
#else  // The C library's signals are exit codes there; what others send is an end without handlers.
    const int number = GENERATE(SIGTERM, support::kill_signal);
#endif
    CHECK(exitcode_of<int>(raises, number, method) == -number);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows lets everybody ask for an exit code.
TEST_CASE("process: a child that others waited for has its exit code, or 255 on older systems") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(exits, mp::args(7), {.start_method = EVERY_START_METHOD});
    p.start();
    const auto found = mp::os::waitpid(*p.pid());
    CHECK(mp::os::waitstatus_to_exitcode(found.status) == 7);
    CHECK(p.join());
    CHECK((p.exitcode() == 7 || p.exitcode() == 255));
    CHECK_FALSE(p.is_alive());
    p.terminate();
    p.close();
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGCHLD.
TEST_CASE("process: where children are reaped by the system join still returns") {
    const support::watchdog guard;
    const support::leftovers check;
    // A child that had ended before its pidfd was opened made start() throw.
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    const std::string method = EVERY_START_METHOD;
    for (int i = 0; i < 20; ++i) {
        mp::Process p(exits_at_once, mp::args(7), {.start_method = method});
        p.start();
        CHECK(p.join());
        CHECK((p.exitcode() == 7 || p.exitcode() == 255));
        p.kill();
    }
    std::signal(SIGCHLD, before);
}
#endif
