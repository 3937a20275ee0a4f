// SPDX-License-Identifier: MIT
// The main function of every test program.
#if __has_include(<multiprocessing/spawn.hpp>)
#include <multiprocessing/spawn.hpp>
#endif

#include <support/run_test_cases.hpp>

int main(int argc, char** argv) {
#if __has_include(<multiprocessing/spawn.hpp>)
    multiprocessing::freeze_support(argc, argv);
#endif
    return support::run_test_cases(argc, argv);
}
