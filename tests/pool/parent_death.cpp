// SPDX-License-Identifier: MIT
// POSIX only: the parent and its tasks fork.
#include <multiprocessing/pool.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;
using namespace std::chrono_literals;

namespace {

void sleep_for_ever() {
    std::this_thread::sleep_for(24h);
}

mpd::handle* output = nullptr;

void tell(int pid) {
    support::say(*output, std::to_string(pid) + " ");
}

void keep_output(const mpd::handle& to) {
    output = new mpd::handle;
    mpd::throw_if_error(mpd::duplicate(to.get(), *output), "duplicate");
}

/// Tells its own number, that of a raw fork, and that of a worker of its own pool, and stays.
void start_much(const std::string& method) {
    tell(mp::os::getpid());
    const int fork = mp::os::fork();
    if (fork == 0)
        sleep_for_ever();
    tell(fork);
    auto* const pool = new mp::Pool(1, {.start_method = method});
    tell(pool->worker_pids().at(0));
    pool->apply(sleep_for_ever);
}

/// The numbers that were told, when there are `count`.
std::vector<int> numbers(const mpd::handle& from, std::size_t count) {
    std::string text;
    while (static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) < count)
        text += support::hear(from);
    std::vector<int> found;
    for (std::size_t at = 0; found.size() < count; at = text.find(' ', at) + 1)
        found.push_back(std::stoi(text.substr(at)));
    return found;
}

}  // namespace

TEST_CASE("pool: when the parent is killed its workers and all that they started are gone") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    support::gate told;
    const int parent = mp::os::fork();
    if (parent == 0) {
        auto* const pool = new mp::Pool(
            2, {.initializer = {keep_output, std::tuple(told.writer())}, .start_method = method});
        pool->apply_async(start_much, mp::args(method));
        pool->apply(start_much, mp::args(method));
    }
    const auto pids = numbers(told.ends.reader, 6);
    mp::os::kill(parent, SIGKILL);
    mp::os::waitpid(parent);
    for (const int pid : pids)
        support::await([&] { return support::is_gone(pid); });
}
