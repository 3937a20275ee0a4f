// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void tell_identity(mp::detail::handle to) {
    auto self = mp::current_process();
    auto parent = mp::parent_process();
    support::say(to, self.name() + "|" + (self.daemon() ? "daemon" : "plain") + "|" +
                         text_of(self.authkey()) + "|" + parent->name() + "|" +
                         (parent->pid() == mp::os::getppid() ? "parent" : "stranger") + "|" +
                         (parent->is_alive() ? "alive" : "gone") + "|" +
                         (self.pid() == mp::os::getpid() && self.is_alive() ? "me" : "not me"));
}

void nothing() {}

}  // namespace

TEST_CASE("process: a child knows who it is and who made it") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(tell_identity, mp::args(gate.writer()),
                  {.name = "reader", .daemon = true, .start_method = EVERY_START_METHOD});
    const std::string key = "secret";
    const auto bytes = std::as_bytes(std::span(key));
    p.authkey({bytes.begin(), bytes.end()});
    p.start();
    CHECK(support::hear(gate.ends.reader) == "reader|daemon|secret|MainProcess|parent|alive|me");
    p.join();
    CHECK(p.name() == "reader");
    CHECK(p.daemon());
}

TEST_CASE("process: the main process is MainProcess, has a key of 32 bytes and no parent") {
    auto self = mp::current_process();
    CHECK(self.name() == "MainProcess");
    CHECK(self.pid() == mp::os::getpid());
    CHECK(self.is_alive());
    CHECK_FALSE(self.daemon());
    CHECK_FALSE(self.exitcode());
    CHECK(self.authkey().size() == 32);
    CHECK(self.authkey() != std::vector<std::byte>(32));
    CHECK_FALSE(mp::parent_process());
    CHECK(mp::Process(nothing).authkey() == self.authkey());
}

TEST_CASE("process: what is said of the current process holds for every handle of it") {
    auto self = mp::current_process();
    self.name("renamed");
    CHECK(mp::current_process().name() == "renamed");
    CHECK(mp::current_process() == self);
    self.name("MainProcess");
}

TEST_CASE("process: default names count the children of each process") {
    const auto number_of = [](const std::string& name) {
        REQUIRE(name.substr(0, 8) == "Process-");
        return std::stoi(name.substr(8));
    };
    const mp::Process first(nothing);
    const mp::Process second(nothing);
    CHECK(number_of(second.name()) == number_of(first.name()) + 1);
}

TEST_CASE("process: copies mean the same process") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = EVERY_START_METHOD});
    mp::Process copy = p;
    CHECK(copy == p);
    CHECK_FALSE(copy == mp::Process(nothing));
    copy.name("both");
    copy.start();
    CHECK(p.name() == "both");
    CHECK(p.pid() == copy.pid());
    p.join();
    CHECK(copy.exitcode() == 0);
    copy.close();
    CHECK_THROWS_AS(p.pid(), mp::ValueError);
}

TEST_CASE("process: a handle that is dropped does not end the child") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process(support::wait_for_end, mp::args(gate.reader()),
                {.name = "dropped", .start_method = EVERY_START_METHOD})
        .start();
    auto active = mp::active_children();
    REQUIRE(active.size() == 1);
    CHECK(active[0].name() == "dropped");
    CHECK(active[0].is_alive());
    gate.open();
    active[0].join();
    CHECK(active[0].exitcode() == 0);
    CHECK(mp::active_children().empty());
}

TEST_CASE("process: the sentinel is ready when the child has ended, not before") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(support::wait_for_end, mp::args(gate.reader()),
                  {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(p.sentinel(), mp::ValueError);
    p.start();
    bool ready = true;
    CHECK_FALSE(mp::detail::wait_ready(p.sentinel(), mp::detail::deadline::now(), ready));
    CHECK_FALSE(ready);
    gate.open();
    CHECK_FALSE(mp::detail::wait_ready(p.sentinel(), mp::detail::deadline::never(), ready));
    CHECK(ready);
    CHECK(p.exitcode() == 0);
}

TEST_CASE("process: children that have ended are reaped by the next start") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    {
        mp::Process p(nothing, {.start_method = method});
        p.start();
        bool ready = false;
        CHECK_FALSE(mp::detail::wait_ready(p.sentinel(), mp::detail::deadline::never(), ready));
    }
    mp::Process p(nothing, {.start_method = method});
    p.start();
    p.join();
    CHECK(mp::active_children().empty());
}

TEST_CASE("process: cpu_count counts at least one") {
    CHECK(mp::cpu_count() >= 1);
}
