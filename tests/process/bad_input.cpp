// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/run_program.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using support::contains;
using support::message_of;

namespace {

struct cannot_cross {
    explicit cannot_cross(int& value) : reference(value) {}
    int& reference;
};

void nothing() {}

void fails_to_start_a_child(mp::detail::handle to) {
    mp::Process p(nothing);
    support::say(to, message_of<mp::ProcessError>([&] { p.start(); }));
}

}  // namespace

TEST_CASE("process: it starts once") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = EVERY_START_METHOD});
    p.start();
    CHECK(message_of<mp::ProcessError>([&] { p.start(); }) == "cannot start a process twice");
    p.join();
    CHECK_THROWS_AS(p.start(), mp::ProcessError);
    CHECK(mp::active_children().empty());
}

TEST_CASE("process: before its start it cannot be joined, signalled or waited for") {
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = EVERY_START_METHOD});
    CHECK(message_of<mp::ProcessError>([&] { p.join(); }) == "can only join a started process");
    CHECK_THROWS_AS(p.terminate(), mp::ProcessError);
    CHECK_THROWS_AS(p.kill(), mp::ProcessError);
    CHECK_THROWS_AS(p.interrupt(), mp::ProcessError);
    CHECK_THROWS_AS(p.sentinel(), mp::ValueError);
    CHECK_FALSE(p.exitcode());
    CHECK_FALSE(p.pid());
}

TEST_CASE("process: after close only the name can be asked for") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(support::wait_for_end, mp::args(gate.reader()),
                  {.name = "closed", .start_method = EVERY_START_METHOD});
    p.start();
    CHECK(contains(message_of<mp::ValueError>([&] { p.close(); }), "still running"));
    gate.open();
    p.join();
    p.close();
    p.close();
    CHECK(p.name() == "closed");
    CHECK(message_of<mp::ValueError>([&] { p.join(); }) == "process object is closed");
    CHECK_THROWS_AS(p.start(), mp::ValueError);
    CHECK_THROWS_AS(p.is_alive(), mp::ValueError);
    CHECK_THROWS_AS(p.terminate(), mp::ValueError);
    CHECK_THROWS_AS(p.exitcode(), mp::ValueError);
    CHECK_THROWS_AS(p.pid(), mp::ValueError);
    CHECK_THROWS_AS(p.sentinel(), mp::ValueError);
    CHECK_THROWS_AS(p.daemon(), mp::ValueError);
}

TEST_CASE("process: one that was never started may be closed, and then not started") {
    mp::Process p(nothing);
    p.close();
    CHECK_THROWS_AS(p.start(), mp::ValueError);
}

TEST_CASE("process: a started one cannot become a daemon") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = EVERY_START_METHOD});
    p.daemon(true);
    CHECK(p.daemon());
    p.start();
    CHECK_THROWS_AS(p.daemon(false), mp::ProcessError);
    p.join();
}

TEST_CASE("process: a daemon cannot have children") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(fails_to_start_a_child, mp::args(gate.writer()),
                  {.daemon = true, .start_method = EVERY_START_METHOD});
    p.start();
    CHECK(support::hear(gate.ends.reader) == "daemonic processes are not allowed to have children");
    p.join();
}

#if defined(MULTIPROCESSING_POSIX)  // Only a fork puts an object into a process that did not make it.
TEST_CASE("process: only its maker can ask about it, but anybody for its name") {
    // A forked child that asked for the name locked a mutex that start() held, for ever.
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process* self = nullptr;
    mp::Process p(
        [&] {
            support::say(gate.ends.writer,
                         self->name() + ": " + message_of<mp::ProcessError>([&] { self->join(); }));
        },
        {.name = "it", .start_method = "fork"});
    self = &p;
    p.start();
    const auto text = support::hear(gate.ends.reader);
    CHECK(contains(text, "it: process 'it' is not a child of process "));
    p.join();
}
#endif

TEST_CASE("process: this process cannot be joined, started or signalled through its handle") {
    auto self = mp::current_process();
    CHECK_THROWS_AS(self.join(), mp::ProcessError);
    CHECK_THROWS_AS(self.start(), mp::ProcessError);
    CHECK_THROWS_AS(self.terminate(), mp::ProcessError);
}

TEST_CASE("process: an unknown start method is refused with those that exist") {
    const auto text =
        message_of<mp::ValueError>([] { mp::Process p(nothing, {.start_method = "teleport"}); });
    CHECK(contains(text, "'teleport'"));
    for (const auto& method : mp::get_all_start_methods())
        CHECK(contains(text, "'" + method + "'"));
}

TEST_CASE("process: what cannot cross is named, and nothing is left behind") {
    const support::leftovers check;
    int captured = 3;
    mp::Process p([&captured] { ++captured; }, {.name = "lambda", .start_method = "spawn"});
    const auto text = message_of<mp::PicklingError>([&] { p.start(); });
    CHECK(contains(text, "cannot start process 'lambda' by spawn"));
    CHECK(contains(text, "lambda"));
    CHECK(contains(text, "cannot cross to another process"));
    CHECK(mp::active_children().empty());
    CHECK_FALSE(p.is_alive());
    CHECK_THROWS_AS(p.join(), mp::ProcessError);
    mp::Process q([](cannot_cross) {}, mp::args(cannot_cross(captured)), {.start_method = "spawn"});
    const std::string message = message_of<mp::PicklingError>([&] { q.start(); });
    CHECK(contains(message, "cannot_cross"));
    CHECK(contains(message, "or start by fork") == mp::detail::has_fork);
}

TEST_CASE("process: a null function pointer cannot cross") {
    const support::leftovers check;
    void (*none)() = nullptr;
    mp::Process p(none, {.start_method = "spawn"});
    CHECK_THROWS_AS(p.start(), mp::PicklingError);
}

TEST_CASE("process: spawn is refused without freeze_support, with the idiom") {
    const support::watchdog guard;
    const auto result = support::run_program({support::child_program("without_freeze_support")});
    CHECK(contains(result.out, "main: a process cannot be started here before main has called "
                               "freeze_support"));
    CHECK(contains(result.out, "int main(int argc, char** argv) { "
                               "multiprocessing::freeze_support(argc, argv);"));
    CHECK(contains(result.out, "fork works\n") == mp::detail::has_fork);
}

TEST_CASE("process: an error that nobody catches is told") {
    const support::watchdog guard;
    const auto result =
        support::run_program({support::child_program("without_freeze_support"), "uncaught"});
    CHECK(result.exitcode != 0);
    CHECK(contains(result.out, "a process cannot be started here"));
}

TEST_CASE("process: a spawned child that starts processes before freeze_support is refused") {
    const support::watchdog guard;
    const auto result = support::run_program({support::child_program("starts_before_main")});
    // In the parent it may be started by fork, where that exists, and not by spawn.
    const int early = mp::detail::has_fork ? 1 : 0;
    CHECK(support::count_of(result.out, "started early\n") == early);
    CHECK(support::count_of(result.out, "refused: a process cannot be started here") == 2 - early);
    CHECK(contains(result.out, "exitcode 0\n"));
}
