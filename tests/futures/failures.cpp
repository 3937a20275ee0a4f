// SPDX-License-Identifier: MIT
// What fails on its way there and back, or is killed: its own future fails, and nothing waits for
// ever.
#include <multiprocessing/futures.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpf = multiprocessing::futures;
using namespace std::chrono_literals;

namespace app {

struct parse_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace app

namespace {

/// Fails where `when` says; crosses like any other value.
struct grenade {
    std::string when;
    int passed = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        const bool in_worker = mp::current_process().name() != "MainProcess";
        archive(when, passed);
        const std::string place = std::string(passed == 0 ? "argument" : "result") +
                                  (in_worker ? " in worker" : " in parent");
        if (when == place + ", throw")
            throw std::length_error("it fails");
        if (when == place + ", exit")
            mp::os::_exit(4);
    }
};

grenade pass(grenade argument) {
    if (argument.when == "run, exit")
        mp::os::_exit(4);
    if (argument.when == "run, throw")
        throw std::length_error("it fails");
    ++argument.passed;
    return argument;
}

constexpr const char* throws[] = {"argument in parent, throw", "argument in worker, throw",
                                  "run, throw", "result in worker, throw",
                                  "result in parent, throw"};
constexpr const char* exits[] = {"argument in worker, exit", "run, exit", "result in worker, exit"};

int sleep_for_ever() {
    std::this_thread::sleep_for(24h);
    return 0;
}

int die_with(const std::string&) {
    support::die_of(support::kill_signal);
}

std::size_t length(const std::string& text) {
    return text.size();
}

void throw_parse_error() {
    throw app::parse_error("line 7");
}

}  // namespace

TEST_CASE("futures: what fails on its way fails its own future, wherever that is") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    for (const char* when : throws) {
        INFO(when);
        const auto future = executor.submit(pass, grenade{when});
        CHECK_THROWS_AS(future.result(), std::length_error);
        CHECK(executor.submit(pass, grenade{"never"}).result().passed == 1);
    }
    for (const char* when : exits) {
        INFO(when);
        const auto future = executor.submit(pass, grenade{when});
        CHECK_THROWS_AS(future.result(), mp::WorkerLostError);
        CHECK(executor.submit(pass, grenade{"never"}).result().passed == 1);
    }
}

TEST_CASE("futures: what a callback submits may fail in every way") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    std::vector<std::promise<mpf::Future<grenade>>> given(std::size(throws) + std::size(exits));
    mpf::ProcessPoolExecutor executor(2, {.start_method = method});
    std::size_t next = 0;
    const auto submit_by_callback = [&](const char* when) {
        auto& promise = given[next++];
        executor.submit(length, "text").add_done_callback([&, when](const auto&) {
            promise.set_value(executor.submit(pass, grenade{when}));
        });
        return promise.get_future().get();
    };
    for (const char* when : throws)
        CHECK_THROWS_AS(submit_by_callback(when).result(), std::length_error);
    for (const char* when : exits)
        CHECK_THROWS_AS(submit_by_callback(when).result(), mp::WorkerLostError);
    CHECK(executor.submit(length, "text").result() == 4);
}

TEST_CASE("futures: a hundred arguments that cannot be written, among as many that can") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    std::vector<mpf::Future<grenade>> bad;
    std::vector<mpf::Future<grenade>> good;
    for (int i = 0; i < 100; ++i) {
        bad.push_back(executor.submit(pass, grenade{"argument in parent, throw"}));
        good.push_back(executor.submit(pass, grenade{"never"}));
    }
    for (std::size_t i = 0; i < 100; ++i) {
        CHECK_THROWS_AS(bad[i].result(), std::length_error);
        CHECK(good[i].result().passed == 1);
    }
}

TEST_CASE("futures: arguments that cannot be written when their turn comes after a shutdown") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    const auto first = executor.submit(sleep_for_ever);
    std::vector<mpf::Future<grenade>> futures;
    for (int i = 0; i < 500; ++i)  // More than the worker is given at once.
        futures.push_back(
            executor.submit(pass, grenade{i % 2 == 0 ? "never" : "argument in parent, throw"}));
    executor.shutdown(false);
    first.terminate();
    for (std::size_t i = 0; i < 500; ++i) {
        if (i % 2 == 0)
            CHECK(futures[i].result().passed == 1);
        else
            CHECK_THROWS_AS(futures[i].result(), std::length_error);
    }
}

TEST_CASE("futures: workers that die with large arguments, and more on their way") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const std::vector<std::string> texts(10, std::string(4 << 20, 'x'));
    auto results = executor.map(die_with, texts);
    for (int i = 0; i < 10; ++i)
        CHECK_THROWS_AS(results.next(), mp::WorkerLostError);
    CHECK_FALSE(results.next());
    CHECK(executor.submit(length, texts[0]).result() == 4 << 20);
}

TEST_CASE("futures: workers that are killed from outside cost what runs, and are replaced") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    for (int round = 0; round < 3; ++round) {
        const auto stuck = executor.submit(sleep_for_ever);
        support::await([&] { return stuck.running(); });
        for (const int pid : executor.worker_pids())
            mp::os::kill(pid, support::kill_signal);
        CHECK_THROWS_AS(stuck.result(), mp::WorkerLostError);
        CHECK(executor.submit(length, "text").result() == 4);
    }
}

TEST_CASE("futures: an exception of the user's arrives with its type, its text and its stack") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(1, {.start_method = EVERY_START_METHOD});
    try {
        executor.submit(throw_parse_error).result();
        FAIL("nothing was thrown");
    } catch (const mp::RemoteError& error) {
        CHECK(error.type() == "app::parse_error");
        CHECK(error.text() == "line 7");
        CHECK_FALSE(error.stack().empty());
    }
}
