// SPDX-License-Identifier: MIT
#include <multiprocessing/os.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/other_process.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

namespace mp = multiprocessing;
namespace os = multiprocessing::os;

namespace {

template <class Act>
int code_of(Act act) {
    try {
        act();
    } catch (const std::system_error& error) {
        return error.code().value();
    }
    return 0;
}

#if defined(MULTIPROCESSING_POSIX)
/// The exit status of `body` in a child of its own.
template <class Body>
int status_of(Body body) {
    const int pid = os::fork();
    if (pid == 0)
        os::_exit(body());
    return os::waitpid(pid).status;
}
#endif

void exit_with_a_handler() {
    std::atexit([] { std::_Exit(9); });
    os::_exit(4);
}

}  // namespace

#if defined(MULTIPROCESSING_POSIX)  // Windows has neither fork nor wait.
TEST_CASE("os: fork returns 0 in the child and its number in the parent") {
    const support::watchdog guard;
    const support::leftovers check;
    const int parent = os::getpid();
    const int pid = os::fork();
    if (pid == 0)
        os::_exit(os::getppid() == parent && os::getpid() != parent ? 42 : 1);
    CHECK(pid > 0);
    const auto result = os::waitpid(pid);
    CHECK(result.pid == pid);
    CHECK(os::waitstatus_to_exitcode(result.status) == 42);
    CHECK(os::getpid() == parent);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows copies no process.
TEST_CASE("os: every copy of a process has a number of its own, however it was made") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto knows_itself = [] { return os::getpid() == ::getpid(); };
    CHECK(knows_itself());
    const int status = status_of([&] {
        if (!knows_itself())
            return 1;
        return os::waitstatus_to_exitcode(status_of([&] { return knows_itself() ? 0 : 2; }));
    });
    CHECK(os::waitstatus_to_exitcode(status) == 0);
    const long copy = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);  // Calls nobody's handlers.
    if (copy == 0)
        os::_exit(knows_itself() ? 0 : 3);
    REQUIRE(copy > 0);
    const auto result = os::waitpid(static_cast<int>(copy));
    CHECK(os::waitstatus_to_exitcode(result.status) == 0);
    CHECK(knows_itself());
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has neither fork nor wait.
// In a process of its own, which has no other children: a sanitizer's are of the one that started
// them.
TEST_CASE("os: wait takes any child, and without one it is an error") {
    const support::watchdog guard;
    const support::leftovers check;
    const int status = status_of([] {
        const int pid = os::fork();
        if (pid == 0)
            os::_exit(3);
        const auto result = os::wait();
        if (result.pid != pid)
            return 1;
        if (os::waitstatus_to_exitcode(result.status) != 3)
            return 2;
        if (code_of([] { os::wait(); }) != ECHILD)
            return 3;
        return code_of([&] { os::waitpid(pid); }) == ECHILD ? 0 : 4;
    });
    CHECK(os::waitstatus_to_exitcode(status) == 0);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has neither fork nor wait.
TEST_CASE("os: a wait that may not block returns number 0 while the child runs") {
    const support::watchdog guard;
    const support::leftovers check;
    const int pid = os::fork();
    if (pid == 0)
        for (;;)
            ::pause();
    CHECK(os::waitpid(pid, WNOHANG).pid == 0);
    os::kill(pid, 0);
    os::kill(pid, SIGKILL);
    CHECK(os::waitstatus_to_exitcode(os::waitpid(pid).status) == -SIGKILL);
    CHECK(code_of([&] { os::kill(pid, 0); }) == ESRCH);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has exit codes and no statuses.
TEST_CASE("os: the exit code is the status or minus the signal, and a stop is none") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(os::waitstatus_to_exitcode(status_of([] { return 255; })) == 255);
    CHECK(os::waitstatus_to_exitcode(status_of([]() -> int {
              ::signal(SIGTERM, SIG_DFL);
              ::raise(SIGTERM);
              return 0;
          })) == -SIGTERM);
    CHECK_THROWS_AS(os::waitstatus_to_exitcode(0x137f), mp::ValueError);  // stopped by SIGSTOP
}
#endif

TEST_CASE("os: _exit runs no exit handlers") {
    const support::watchdog guard;
    const support::leftovers check;
    support::other_process child(EVERY_START_METHOD, exit_with_a_handler, std::tuple<>());
    CHECK(child.wait() == 4);
}

TEST_CASE("os: process_cpu_count keeps to the affinity mask") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(os::cpu_count() >= 1);
    CHECK(os::process_cpu_count() >= 1);
    CHECK(os::process_cpu_count() <= os::cpu_count());
#if defined(MULTIPROCESSING_POSIX)
    CHECK(os::waitstatus_to_exitcode(status_of([] {
              const int allowed = ::sched_getcpu();
              ::cpu_set_t one;
              CPU_ZERO(&one);
              CPU_SET(allowed, &one);
              ::sched_setaffinity(0, sizeof one, &one);
              return os::process_cpu_count();
          })) == 1);
#endif
}

TEST_CASE("os: kill ends a process by its number, and says where there is none") {
    const support::watchdog guard;
    const support::leftovers check;
    support::other_process child(EVERY_START_METHOD, support::run_for_ever, std::tuple<>());
#if defined(MULTIPROCESSING_POSIX)
    os::kill(child.pid(), 0);
    os::kill(child.pid(), support::kill_signal);
    CHECK(child.wait() == -support::kill_signal);
#else  // The number is the exit code there, as in Python.
    os::kill(child.pid(), 17);
    CHECK(child.wait() == 17);
#endif
    CHECK(code_of([] { os::kill(999'999'999, support::kill_signal); }) != 0);
}
