// SPDX-License-Identifier: MIT
#define CATCH_CONFIG_RUNNER  // With Catch2 2.13 the whole of Catch2 is compiled here.
// A forked child that is terminated would report, in Catch2's handler, that the test failed.
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#include <support/catch.hpp>

#include <support/run_test_cases.hpp>

int support::run_test_cases(int argc, char** argv) {
    return Catch::Session().run(argc, argv);
}
