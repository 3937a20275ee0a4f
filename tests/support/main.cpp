// SPDX-License-Identifier: MIT
// The main function of every test program.
#define CATCH_CONFIG_RUNNER  // With Catch2 2.13 the whole of Catch2 is compiled here.
#include <support/catch.hpp>

#if __has_include(<multiprocessing/spawn.hpp>)
#include <multiprocessing/spawn.hpp>
#endif

int main(int argc, char** argv) {
#if __has_include(<multiprocessing/spawn.hpp>)
    multiprocessing::freeze_support(argc, argv);
#endif
    return Catch::Session().run(argc, argv);
}
