// SPDX-License-Identifier: MIT
// The end of a program whose pools are global: nobody has closed them.
#include <multiprocessing/pool.hpp>

#include <cstdlib>
#include <string>

#include <multiprocessing/process.hpp>
#include <multiprocessing/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

[[noreturn]] void end_with_a_pool(const mp::detail::handle& to, const std::string& method) {
    static mp::Pool pool(3, {.start_method = method});
    pool.apply_async(support::run_for_ever);
    int sum = 0;
    for (const int x : pool.map(square, {1, 2, 3}))
        sum += x;
    support::say(to, std::to_string(sum) + " " + std::to_string(pool.worker_pids().at(0)));
    std::exit(sum == 14 ? 0 : 1);
}

[[noreturn]] void end_with_threads() {
    static mp::ThreadPool pool(3);
    std::exit(pool.apply(square, mp::args(3)) == 9 ? 0 : 1);
}

}  // namespace

TEST_CASE("pool: one that is global does not keep its program from ending, nor outlives it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    support::gate gate;
    mp::Process process(end_with_a_pool, mp::args(gate.writer(), method), {.start_method = method});
    process.start();
    const std::string said = support::hear(gate.ends.reader);
    process.join();
    CHECK(process.exitcode() == 0);
    const int worker = std::stoi(said.substr(said.find(' ')));
    support::await([&] { return support::is_gone(worker); });
}

TEST_CASE("thread pool: one that is global does not keep its program from ending") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Process process(end_with_threads, {.start_method = method});
    process.start();
    process.join();
    CHECK(process.exitcode() == 0);
}
