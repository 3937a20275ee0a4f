// SPDX-License-Identifier: MIT
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/lines.hpp"
#include "support/run_program.hpp"
#include "support/watchdog.hpp"

TEST_CASE("example: pool runs five tasks on four workers") {
    const support::leftovers leftovers;
    const support::watchdog watchdog(60);
    const std::string program = GENERATE(values<std::string>({MULTIPROCESSING_TEST_EXAMPLES}));
    const auto result = support::run_program({program});
    INFO(result.out);
    CHECK(result.exitcode == 0);
    const support::lines lines(result.out);
    CHECK(lines.size() == 13);
    const std::string parent = lines.only(R"(Parent process (\d+)\.)").value;
    CHECK(lines.only(R"(Parent process \d+\.)").place == 0);
    lines.only("Waiting for all subprocesses done\\.\\.\\.");
    CHECK(lines.only("All subprocesses done\\.").place == 12);

    std::vector<std::size_t> starts;
    std::vector<std::size_t> ends;
    std::vector<std::string> workers;
    for (int i = 0; i < 5; ++i) {
        const std::string task = std::to_string(i);
        const auto start = lines.only("Run task " + task + R"( \((\d+)\)\.\.\.)");
        starts.push_back(start.place);
        workers.push_back(start.value);
        ends.push_back(lines.only("Task " + task + R"( runs [0-3]\.\d\d seconds\.)").place);
        CHECK(starts.back() < ends.back());
        CHECK(start.value != parent);
    }

    // The fifth waits for a worker to be free, and runs in that one.
    const std::set<std::string> first_four(workers.begin(), workers.begin() + 4);
    CHECK(first_four.size() == 4);
    REQUIRE(first_four.count(workers[4]) == 1);
    for (std::size_t i = 0; i < 4; ++i)
        if (workers[i] == workers[4])
            CHECK(ends[i] < starts[4]);
}
