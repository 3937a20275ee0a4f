// SPDX-License-Identifier: MIT
// The umbrella: one include, and every part of the library is there.
#include <multiprocessing/multiprocessing.hpp>

#include <support/catch.hpp>
#include <support/leftovers.hpp>
#include <support/run_program.hpp>

#include <string>
#include <vector>

namespace mp = multiprocessing;

namespace {

int twice(int x) {
    return 2 * x;
}

void answer(mp::Queue<int>& queue, mp::Connection& connection) {
    connection.send(twice(queue.get()));
}

}  // namespace

TEST_CASE("multiprocessing: one header shows every part") {
    const auto method = GENERATE(from_range(mp::get_all_start_methods()));
    const support::leftovers tidy;

    mp::Queue<int> queue;
    auto [here, there] = mp::Pipe();
    mp::Process p(answer, mp::args(queue, there), {.start_method = method});
    queue.put(21);
    p.start();
    there.close();
    CHECK(here.recv<int>() == 42);
    CHECK(p.join());
    CHECK(p.exitcode() == 0);

    mp::Pool pool(2, {.start_method = method});
    CHECK(pool.map(twice, std::vector<int>{1, 2, 3}) == std::vector<int>{2, 4, 6});

    CHECK(mp::subprocess::call({support::child_program("tool"), "exit", "3"}) == 3);
    CHECK(mp::os::getpid() == mp::current_process().pid());
}
