// SPDX-License-Identifier: MIT
// Runs a program to its end and keeps what it wrote; made of system calls alone, so that nothing
// under test is used to look at it.
#pragma once

#include <string>
#include <vector>

namespace support {

struct program_result {
    int exitcode = 0;  // minus the signal
    std::string out;  // standard output and error
};

/// The output ends when the last process that holds it has ended, so a program's children are
/// waited for with it.
program_result run_program(const std::vector<std::string>& command);

/// A program of tests/children.
inline std::string child_program(const std::string& name) {
    return MULTIPROCESSING_TEST_CHILDREN "/" + name + MULTIPROCESSING_TEST_SUFFIX;
}

}  // namespace support
