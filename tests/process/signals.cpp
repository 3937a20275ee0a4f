// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <atomic>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

namespace mp = multiprocessing;

namespace {

/// Says when it runs, with the signals as the system delivers them to a fresh program.
void run_until_the_end(mp::detail::handle from, mp::detail::handle to) {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    support::say(to, "here");
    support::wait_for_end(from);
}

#if defined(MULTIPROCESSING_POSIX)
volatile std::sig_atomic_t handled = 0;

void ends_by_three(mp::detail::handle from, mp::detail::handle to) {
    std::signal(SIGTERM, [](int) { handled = 1; });
    support::say(to, "here");
    support::wait_for_end(from);
    std::exit(handled != 0 ? 3 : 4);
}
#endif

struct running {
    support::gate in;
    support::gate out;

    template <class F>
    running(F target, const std::string& method)
        : in(), out(), process(target, mp::args(in.reader(), out.writer()),
                               mp::process_options{.start_method = method}) {
        process.start();
        REQUIRE(support::hear(out.ends.reader) == "here");
    }
    mp::Process process;
};

}  // namespace

TEST_CASE("process: terminate, kill and interrupt end a child by their signals") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    {
        running r(run_until_the_end, method);
        r.process.terminate();
        r.process.join();
        CHECK(r.process.exitcode() == -SIGTERM);
    }
    {
        running r(run_until_the_end, method);
        r.process.kill();
        r.process.join();
        CHECK(r.process.exitcode() == -support::kill_signal);
    }
    {
        running r(run_until_the_end, method);
        r.process.interrupt();
        r.process.join();
        CHECK(r.process.exitcode() == -SIGINT);
    }
}

#if defined(MULTIPROCESSING_POSIX)  // On Windows terminate asks nobody.
TEST_CASE("process: a child may handle what terminate sends") {
    const support::watchdog guard;
    const support::leftovers check;
    running r(ends_by_three, EVERY_START_METHOD);
    r.process.terminate();
    r.in.open();
    r.process.join();
    CHECK(r.process.exitcode() == 3);
}
#endif

TEST_CASE("process: to end a child that has ended does nothing") {
    const support::watchdog guard;
    const support::leftovers check;
    running r(run_until_the_end, EVERY_START_METHOD);
    r.process.kill();
    r.process.join();
    r.process.kill();
    r.process.terminate();
    r.process.interrupt();
    CHECK(r.process.exitcode() == -support::kill_signal);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows interrupts no wait for a handler.
TEST_CASE("process: a signal handler that runs during a join does not break it") {
    const support::watchdog guard;
    const support::leftovers check;
    static std::atomic<int> count;
    count = 0;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) { ++count; };  // Without SA_RESTART.
    ::sigaction(SIGUSR1, &action, &before);
    running r(run_until_the_end, EVERY_START_METHOD);
    const ::pthread_t joiner = ::pthread_self();
    std::thread other([&] {
        for (int i = 1; i <= 5; ++i) {
            ::pthread_kill(joiner, SIGUSR1);
            while (count < i)
                std::this_thread::yield();
        }
        r.in.open();
    });
    CHECK(r.process.join());
    CHECK(r.process.exitcode() == 0);
    other.join();
    CHECK(count == 5);
    ::sigaction(SIGUSR1, &before, nullptr);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no signals between processes.
TEST_CASE("process: a spawned child does not inherit handlers and blocked signals") {
    const support::watchdog guard;
    const support::leftovers check;
    ::sigset_t term;
    ::sigset_t before;
    ::sigemptyset(&term);
    ::sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, &before);
    running r(run_until_the_end, "spawn");
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    r.process.terminate();
    r.process.join();
    CHECK(r.process.exitcode() == -SIGTERM);
}
#endif
