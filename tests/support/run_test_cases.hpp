// SPDX-License-Identifier: MIT
// Apart from main(), so that Catch2 is not compiled again whenever a header of the library changes.
#pragma once

namespace support {

/// Does what the command line asks of Catch2; returns the exit status.
int run_test_cases(int argc, char** argv);

}  // namespace support
