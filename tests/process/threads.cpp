// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

void exits(int status) {
    std::exit(status);
}
void nothing() {}

}  // namespace

TEST_CASE("process: many run at once, and each reports its own exit code") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    std::vector<mp::Process> all;
    for (int i = 0; i < 40; ++i)
        all.emplace_back(exits, mp::args(i), mp::process_options{.start_method = method});
    for (auto& p : all)
        p.start();
    for (int i = 0; i < 40; ++i) {
        all[static_cast<std::size_t>(i)].join();
        CHECK(all[static_cast<std::size_t>(i)].exitcode() == i);
    }
}

TEST_CASE("process: many are terminated at once") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    support::gate gate;
    std::vector<mp::Process> all;
    for (int i = 0; i < 20; ++i) {
        all.emplace_back(support::wait_for_end, mp::args(gate.reader()),
                         mp::process_options{.start_method = method});
        all.back().start();
    }
    CHECK(mp::active_children().size() == 20);
    for (auto& p : all)
        p.kill();
    for (auto& p : all) {
        p.join();
        CHECK(p.exitcode() == -support::kill_signal);
    }
}

TEST_CASE("process: threads start and join at the same time") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                mp::Process p(exits, mp::args(t), {.start_method = method});
                p.start();
                mp::active_children();
                p.join();
                right += p.exitcode() == t ? 1 : 0;
            }
        });
    for (auto& thread : threads)
        thread.join();
    CHECK(right == 40);
    CHECK(mp::active_children().empty());
}

TEST_CASE("process: of threads that start the same process one succeeds") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    for (int round = 0; round < 10; ++round) {
        mp::Process p(nothing, {.start_method = method});
        std::atomic<int> refused{0};
        std::atomic<int> ready{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t)
            threads.emplace_back([&] {
                ++ready;
                while (ready < 3)
                    std::this_thread::yield();
                try {
                    p.start();
                } catch (const mp::ProcessError&) {
                    ++refused;
                }
            });
        for (auto& thread : threads)
            thread.join();
        CHECK(refused == 2);
        p.join();
        CHECK(p.exitcode() == 0);
    }
}

TEST_CASE("process: several threads may join one process, and close it after") {
    // A close between another thread's look at the exit code and its wait left that one waiting for
    // ever, on no descriptor.
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    for (int round = 0; round < 10; ++round) {
        support::gate gate;
        mp::Process p(support::wait_for_end, mp::args(gate.reader()), {.start_method = method});
        p.start();
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t)
            threads.emplace_back([&] {
                try {
                    p.join();
                    p.close();
                } catch (const mp::ValueError&) {  // Another thread closed it first.
                }
            });
        gate.open();
        for (auto& thread : threads)
            thread.join();
        CHECK_THROWS_AS(p.join(), mp::ValueError);
    }
}

TEST_CASE("process: a thread may ask while another starts and joins") {
    const support::watchdog guard;
    const support::leftovers check;
    mp::Process p(nothing, {.start_method = EVERY_START_METHOD});
    std::atomic<bool> done{false};
    std::thread asker([&] {
        while (!done) {
            p.is_alive();
            p.exitcode();
            p.pid();
            p.name();
            mp::active_children();
        }
    });
    p.start();
    p.join();
    done = true;
    asker.join();
    CHECK(p.exitcode() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
TEST_CASE("process: a child of a fork does not have its parent's children") {
    const support::watchdog guard;
    const support::leftovers check;
    support::gate gate;
    mp::Process p(support::wait_for_end, mp::args(gate.reader()),
                  {.start_method = EVERY_START_METHOD});
    p.start();
    const int pid = mp::os::fork();
    if (pid == 0) {
        int wrong = mp::active_children().empty() ? 0 : 1;
        try {
            p.join();
            wrong += 2;
        } catch (const mp::ProcessError&) {
        }
        mp::Process own(exits, mp::args(5), {.start_method = "fork"});
        own.start();
        own.join();
        wrong += own.exitcode() == 5 ? 0 : 4;
        mp::os::_exit(wrong);
    }
    CHECK(mp::os::waitstatus_to_exitcode(mp::os::waitpid(pid).status) == 0);
    CHECK(p.is_alive());
    CHECK(mp::active_children().size() == 1);
    gate.open();
    p.join();
    CHECK(p.exitcode() == 0);
}
#endif
