// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>

#include <multiprocessing/process.hpp>

#include "support/gate.hpp"
#include "support/start_methods.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using support::tool;

namespace mp = multiprocessing;

namespace {

/// Starts a program that has said it is ready, so that what it does about signals is settled.
sp::Popen start_ready(const sp::command& program) {
    sp::Popen p(program, {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    CHECK(p.stdout_.readline() == "ready\n");
    return p;
}

}  // namespace

TEST_CASE("wait: returns the same whenever it is asked") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE});
    CHECK_FALSE(p.poll());
    CHECK_FALSE(p.returncode());
    CHECK_THROWS_AS(p.wait(0s), sp::TimeoutExpired);
    CHECK_THROWS_AS(p.wait(-1s), sp::TimeoutExpired);
    p.stdin_.close();
    CHECK(p.wait() == 0);
    CHECK(p.wait() == 0);
    CHECK(p.wait(0s) == 0);
    CHECK(p.poll() == 0);
    CHECK(p.returncode() == 0);
}

TEST_CASE("wait: waits at least as long as it was told") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE});
    const auto start = std::chrono::steady_clock::now();
    CHECK_THROWS_WITH(p.wait(50ms),
                      "Command '" + tool("cat").text() + "' timed out after 0.05 seconds");
    CHECK(std::chrono::steady_clock::now() - start >= 50ms);
    p.stdin_.close();
    CHECK(p.wait(60s) == 0);
}

TEST_CASE("pid: is the program's own, and stays") {
    const support::tidy tidy;
    sp::Popen p(tool("pid"), {.stdout_ = sp::PIPE});
    const auto out = p.communicate().stdout_;
    CHECK(out == std::to_string(p.pid()) + "\n");
}

TEST_CASE("signals: terminate, kill and any other") {
    const support::tidy tidy;
    const auto plain = tool("out", "ready\n", "line");
    auto p = start_ready(plain);
    p.terminate();
    CHECK(p.wait() == -support::terminate_signal);
    p = start_ready(plain);
    p.kill();
    CHECK(p.wait() == -support::kill_signal);
#if defined(MULTIPROCESSING_POSIX)
    p = start_ready(support::shell("trap 'exit 7' INT; echo ready; read line"));
    p.send_signal(SIGINT);
    CHECK(p.wait() == 7);
#endif
    p = start_ready(plain);
#if defined(MULTIPROCESSING_POSIX)
    CHECK_THROWS_AS(p.send_signal(12345), std::system_error);
#else
    CHECK_THROWS_AS(p.send_signal(12345), mp::ValueError);
#endif
    p.stdin_.close();
    p.wait();
}

TEST_CASE("signals: nothing happens to a program that has ended") {
    const support::tidy tidy;
    sp::Popen p(tool());
    sp::Popen unseen(tool(), {.stdout_ = sp::PIPE});
    CHECK(unseen.stdout_.read().empty());
    unseen.terminate();
    CHECK(p.wait() == 0);
    p.terminate();
    p.kill();
    p.send_signal(SIGINT);
    CHECK(p.returncode() == 0);
    unseen.wait();
}

TEST_CASE("signals: a stopped program has not ended") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE});
    support::stop_process(p.pid());
    CHECK_THROWS_AS(p.wait(50ms), sp::TimeoutExpired);
    CHECK_FALSE(p.poll());
    support::continue_process(p.pid());
    p.stdin_.close();
    CHECK(p.wait() == 0);
}

TEST_CASE("timeouts: call and run kill the program") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::call(tool("sleep"), {.timeout = 10ms}), sp::TimeoutExpired);
    CHECK_THROWS_AS(sp::check_call(tool("sleep"), {.timeout = 10ms}), sp::TimeoutExpired);
    CHECK_THROWS_AS(sp::check_output(tool("sleep"), {.timeout = 10ms}), sp::TimeoutExpired);
    CHECK_THROWS_AS(sp::run(tool("sleep"), {.timeout = 10ms}), sp::TimeoutExpired);
    CHECK(sp::run(tool(), {.timeout = 60s}).returncode == 0);
    CHECK(sp::call(tool(), {.timeout = 60s}) == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no signals between programs.
TEST_CASE("signals: the program's are as the system delivers them") {
    const support::tidy tidy;
    // Bits 13 (SIGPIPE) of the ignored ones, and the blocked ones.
    const auto masks = [](const sp::options& how) {
        return sp::check_output({"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"}, how);
    };
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    ::sigset_t all;
    ::sigset_t mask;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGALRM);
    ::pthread_sigmask(SIG_BLOCK, &all, &mask);
    const auto restored = masks({});
    const auto kept = masks({.restore_signals = false});
    ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
    ::signal(SIGPIPE, before);
    CHECK(restored == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    CHECK(kept == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000001000\n");
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows lets everybody ask for an exit code.
TEST_CASE("reaping: another part of the program took the status") {
    const support::tidy tidy;
    sp::Popen p(support::shell("exit 5"));
    int status = 0;
    CHECK(::waitpid(p.pid(), &status, 0) == p.pid());
    const auto code = p.wait();
    CHECK((code == 5 || code == sp::unknown_returncode));
    CHECK(p.poll() == code);
    p.kill();
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGCHLD.
TEST_CASE("reaping: an ignored SIGCHLD does not hang") {
    const support::tidy tidy;
    const auto before = ::signal(SIGCHLD, SIG_IGN);
    const int code = sp::call(support::shell("exit 5"));
    const auto failed = support::error_of([] { sp::call({"no-such-program"}); }).code();
    ::signal(SIGCHLD, before);
    CHECK((code == 5 || code == sp::unknown_returncode));
    CHECK(failed == std::errc::no_such_file_or_directory);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork, and no children to take.
TEST_CASE("reaping: never takes the children of others") {
    const support::tidy tidy;
    const ::pid_t own = ::fork();
    if (own == 0)
        ::_exit(9);
    for (int i = 0; i < 20; ++i)
        sp::call(tool());
    int status = 0;
    CHECK(::waitpid(own, &status, 0) == own);
    CHECK(WEXITSTATUS(status) == 9);
}
#endif

TEST_CASE("dropping: a running program goes on and is reaped by a later start") {
    const support::tidy tidy;
    int pid = 0;
    {
        sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE});
        pid = p.pid();
    }  // Its input is closed here, and so it ends.
    while (support::children().count(pid) != 0)
        sp::call(tool());
}

TEST_CASE("dropping: an exception does not leave pipes open") {
    const support::tidy tidy;
    CHECK_THROWS_AS(
        [] {
            sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
            p.kill();
            p.wait();
            throw std::runtime_error("body");
        }(),
        std::runtime_error);
}

TEST_CASE("moving: the new object is the program") {
    const support::tidy tidy;
    sp::Popen first(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    first.stdin_.write("a\nb");
    CHECK(first.stdout_.read_some(1) == "a");
    sp::Popen second = std::move(first);
    CHECK(second.communicate("c").stdout_ == "\nbc");
    CHECK(second.args().text() == tool("cat").text());
}

namespace {

void start_and_die(mp::detail::handle held) {
    const sp::Popen p(tool("sleep"), {.pass_fds = {held.get()}, .die_with_parent = true});
    support::die_of(support::kill_signal);
}

}  // namespace

TEST_CASE("tie: a program dies with its parent where asked to") {
    const support::tidy tidy;
    support::gate gate;
    mp::Process parent(start_and_die, mp::args(gate.writer()),
                       {.start_method = EVERY_START_METHOD});
    parent.start();
    gate.ends.writer.reset();
    CHECK(parent.join());
    CHECK(parent.exitcode() == -support::kill_signal);
    CHECK(support::hear(gate.ends.reader).empty());  // The program held the last writer.
}
