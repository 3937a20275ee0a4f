// SPDX-License-Identifier: MIT
// Mirrors os.fork(), os.getpid() and os.getppid(): one process becomes two. POSIX only.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <cstdio>

namespace mp = multiprocessing;

int main() {
    fmt::print("Process ({}) start...\n", mp::os::getpid());
    std::fflush(stdout);  // What is still in the buffer would be printed by both.

    const int pid = mp::os::fork();
    if (pid == 0) {
        fmt::print("I am child process ({}) and my parent is {}.\n", mp::os::getpid(),
                   mp::os::getppid());
        return 0;
    }
    fmt::print("I ({}) just created a child process ({}).\n", mp::os::getpid(), pid);
    std::fflush(stdout);
    mp::os::waitpid(pid);
}
