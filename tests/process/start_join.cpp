// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

void tell_numbers(mp::detail::handle to) {
    support::say(to, std::to_string(mp::os::getpid()) + " " + std::to_string(mp::os::getppid()));
}

void tell_words(mp::detail::handle to, const std::string& a, const std::vector<int>& b, double c) {
    std::string words = a;
    for (const int i : b)
        words += " " + std::to_string(i);
    support::say(to, words + (c == 0.5 ? " half" : ""));
}

}  // namespace

TEST_CASE("process: the target runs in another process, a child of this one") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(tell_numbers, mp::args(gate.writer()), {.start_method = EVERY_START_METHOD});
    CHECK_FALSE(p.pid());
    p.start();
    CHECK(support::hear(gate.ends.reader) ==
          std::to_string(*p.pid()) + " " + std::to_string(mp::os::getpid()));
    CHECK(p.ident() == p.pid());
    CHECK(p.join());
    CHECK(p.exitcode() == 0);
}

TEST_CASE("process: arguments arrive as they were given") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(tell_words, mp::args(gate.writer(), "words", std::vector{1, 2, 3}, 0.5),
                  {.start_method = EVERY_START_METHOD});
    p.start();
    CHECK(support::hear(gate.ends.reader) == "words 1 2 3 half");
    p.join();
}

TEST_CASE("process: a join with a limit returns false while the child runs") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(support::wait_for_end, mp::args(gate.reader()),
                  {.start_method = EVERY_START_METHOD});
    p.start();
    CHECK_FALSE(p.join(0s));
    CHECK_FALSE(p.join(-1h));
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(p.join(20ms));
    CHECK(std::chrono::steady_clock::now() - start >= 20ms);
    CHECK(p.is_alive());
    CHECK_FALSE(p.exitcode());
    gate.open();
    CHECK(p.join(std::chrono::hours::max()));
    CHECK_FALSE(p.is_alive());
    CHECK(p.join(0s));
    CHECK(p.join());
    CHECK(p.exitcode() == 0);
}

TEST_CASE("process: it is alive from its start to its end") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(support::wait_for_end, mp::args(gate.reader()),
                  {.start_method = EVERY_START_METHOD});
    CHECK_FALSE(p.is_alive());
    p.start();
    CHECK(p.is_alive());
    gate.open();
    p.join();
    CHECK_FALSE(p.is_alive());
}

#if defined(MULTIPROCESSING_POSIX)  // Only a fork takes any callable; this one counts its owners here.
TEST_CASE("process: the parent lets go of target and arguments when the child was started") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto shared = std::make_shared<int>(7);
    mp::Process p([shared] { return *shared; }, {.start_method = "fork"});
    CHECK(shared.use_count() == 2);
    p.start();
    CHECK(shared.use_count() == 1);
    p.join();
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Only a fork takes any callable, such as one with pointers in it.
TEST_CASE("process: a destructor of the target may ask for the process that lets go of it") {
    // The target was destroyed with the lock of its own process held.
    const support::watchdog guard;
    const support::leftovers check;
    struct asks {
        mp::Process** process;
        bool* alive;
        explicit asks(mp::Process** p, bool* a) : process(p), alive(a) {}
        asks(asks&& other) noexcept
            : process(std::exchange(other.process, nullptr)), alive(other.alive) {}
        ~asks() {
            if (process != nullptr && *process != nullptr)
                *alive = (*process)->exitcode().has_value();
        }
        void operator()() const {}
    };
    bool ended = false;
    mp::Process* self = nullptr;
    mp::Process p(asks(&self, &ended), {.start_method = "fork"});
    self = &p;
    p.start();
    p.join();
}
#endif

TEST_CASE("process: children start children, each known to its own parent") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    struct nest {
        std::string method;
        void operator()(mp::detail::handle to, int depth) const {
            support::say(to, std::to_string(depth) + mp::current_process().name() + " ");
            if (depth == 0)
                return;
            for (int i = 0; i < 2; ++i) {
                mp::detail::handle copy;
                mp::detail::throw_if_error(mp::detail::duplicate(to.get(), copy), "duplicate");
                mp::Process p(nest{method}, mp::args(std::move(copy), depth - 1),
                              {.start_method = method});
                p.start();
                p.join();
            }
        }
    };
    const std::string method = EVERY_START_METHOD;
    mp::Process p(nest{method}, mp::args(gate.writer(), 2), {.name = "A", .start_method = method});
    p.start();
    p.join();
    gate.ends.writer.reset();
    std::string all;
    for (std::string part; !(part = support::hear(gate.ends.reader)).empty();)
        all += part;
    std::string tail = all.substr(all.find(' '));
    CHECK(all.substr(0, 3) == "2A ");
    CHECK(support::count_of(tail, ":1 ") == 3);
    CHECK(support::count_of(tail, ":2 ") == 3);
    CHECK(support::count_of(tail, ":1:1 ") == 1);
}
