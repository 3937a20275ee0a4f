// SPDX-License-Identifier: MIT
#include <string>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/lines.hpp"
#include "support/run_program.hpp"
#include "support/watchdog.hpp"

TEST_CASE("example: queue takes three values from one child to another") {
    const support::leftovers leftovers;
    const support::watchdog watchdog(60);
    const std::string program = GENERATE(values<std::string>({MULTIPROCESSING_TEST_EXAMPLES}));
    const auto result = support::run_program({program});
    INFO(result.out);
    CHECK(result.exitcode == 0);
    const support::lines lines(result.out);
    CHECK(lines.size() == 8);
    const auto writer = lines.only(R"(Process to write: (\d+))");
    const auto reader = lines.only(R"(Process to read: (\d+))");
    CHECK(writer.value != reader.value);

    auto last_put = writer.place;
    auto last_get = reader.place;
    for (const std::string value : {"A", "B", "C"}) {
        const auto put = lines.only("Put " + value + " to queue\\.\\.\\.").place;
        const auto get = lines.only("Get " + value + " from queue\\.").place;
        CHECK(put < get);
        CHECK(last_put < put);
        CHECK(last_get < get);
        last_put = put;
        last_get = get;
    }
}
