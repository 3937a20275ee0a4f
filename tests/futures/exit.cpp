// SPDX-License-Identifier: MIT
// The end of a program that has an executor.
#include <multiprocessing/futures.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/run_program.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpf = multiprocessing::futures;

namespace {

mp::detail::handle output;
mpf::ProcessPoolExecutor* last_executor = nullptr;

void keep_output(mp::detail::handle to) {
    output = std::move(to);
}

mp::detail::handle copy_of_output() {
    mp::detail::handle copy;
    mp::detail::throw_if_error(mp::detail::duplicate(output.get(), copy), "duplicate");
    return copy;
}

void nap_and_say() {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    support::say(output, ".");
}

int square(int x) {
    return x * x;
}

void submit_at_the_end() {
    try {
        support::say(output, std::to_string(last_executor->submit(square, 3).result()));
    } catch (const std::exception&) {
        support::say(output, "refused");
    }
}

/// Has an executor that ends with the program, and 20 tasks for it.
void leave_work(mp::detail::handle to, const std::string& method) {
    keep_output(std::move(to));
    static mpf::ProcessPoolExecutor executor(
        2, {.start_method = method, .initializer = {keep_output, std::tuple(copy_of_output())}});
    for (int i = 0; i < 20; ++i)
        executor.submit(nap_and_say);
    std::exit(0);
}

/// Has an executor that nobody destroys, and an exit handler that uses it.
void submit_late(mp::detail::handle to, const std::string& method) {
    keep_output(std::move(to));
    last_executor = new mpf::ProcessPoolExecutor(1, {.start_method = method});
    std::atexit(submit_at_the_end);
    std::exit(0);
}

/// What a process that runs `target` says, which must end well.
template <class Target>
std::string said_by(Target target, const std::string& method) {
    support::gate gate;
    mp::Process process(target, mp::args(gate.writer(), method), {.start_method = method});
    process.start();
    process.join();
    CHECK(process.exitcode() == 0);
    gate.ends.writer.reset();
    return support::read_exactly(gate.ends.reader.get(), 100);
}

}  // namespace

TEST_CASE("futures: a program that ends waits for the work of its executor") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    CHECK(said_by(leave_work, method) == std::string(20, '.'));
}

TEST_CASE("futures: what an exit handler submits is done while there are workers") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    CHECK(said_by(submit_late, method) == "9");
}

TEST_CASE("futures: what an exit handler submits when the workers are gone fails") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    const auto late =
        support::run_program({support::child_program("stories"), "submits_late", method});
    CHECK(late.exitcode == 0);
    CHECK(support::contains(late.out, "refused: "));
}
