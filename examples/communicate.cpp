// SPDX-License-Identifier: MIT
// Mirrors subprocess.Popen.communicate(): types into a program and reads what it answers.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

namespace sp = multiprocessing::subprocess;

int main() {
    fmt::print("$ nslookup\n");
    sp::Popen p({"nslookup"}, {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
    const auto [output, error] = p.communicate("set q=mx\npython.org\nexit\n");
    fmt::print("{}", output);
    fmt::print("Exit code: {}\n", *p.returncode());
}
