// SPDX-License-Identifier: MIT
// POSIX only: Windows has no fork.
#include <string>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/lines.hpp"
#include "support/run_program.hpp"
#include "support/watchdog.hpp"

TEST_CASE("example: fork prints who is whose parent") {
    const support::leftovers leftovers;
    const support::watchdog watchdog(60);
    const std::string program = GENERATE(values<std::string>({MULTIPROCESSING_TEST_EXAMPLES}));
    const auto result = support::run_program({program});
    INFO(result.out);
    CHECK(result.exitcode == 0);
    const support::lines lines(result.out);
    CHECK(lines.size() == 3);
    const auto start = lines.only(R"(Process \((\d+)\) start\.\.\.)");
    CHECK(start.place == 0);
    const std::string& parent = start.value;
    const auto made =
        lines.only("I \\(" + parent + R"(\) just created a child process \((\d+)\)\.)");
    CHECK(made.value != parent);
    lines.only("I am child process \\(" + made.value + "\\) and my parent is " + parent + "\\.");
}
