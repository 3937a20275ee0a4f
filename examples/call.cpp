// SPDX-License-Identifier: MIT
// Mirrors subprocess.call(): runs a program and returns its exit code.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

namespace sp = multiprocessing::subprocess;

int main() {
    fmt::print("$ nslookup www.python.org\n");
    const int code = sp::call({"nslookup", "www.python.org"});
    fmt::print("Exit code: {}\n", code);
}
