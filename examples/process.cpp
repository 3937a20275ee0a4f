// SPDX-License-Identifier: MIT
// Mirrors multiprocessing.Process: start() and join() of a function in a process of its own.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <string>

namespace mp = multiprocessing;

void run_proc(const std::string& name) {
    fmt::print("Run child process {} ({})...\n", name, mp::os::getpid());
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);

    fmt::print("Parent process {}.\n", mp::os::getpid());
    mp::Process p(run_proc, mp::args("test"));
    fmt::print("Child process will start.\n");
    p.start();
    p.join();
    fmt::print("Child process end.\n");
}
