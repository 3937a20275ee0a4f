// SPDX-License-Identifier: MIT
// A program whose static initialiser starts a process: in a spawned child that would go on for
// ever.
#include <multiprocessing/process.hpp>

#include <cstdio>

namespace mp = multiprocessing;

namespace {

void nothing() {}

[[maybe_unused]] const bool started_early = [] {
    try {
        mp::Process p(nothing, {.start_method = mp::detail::all_start_methods().front()});
        p.start();
        p.join();
        std::printf("started early\n");
    } catch (const mp::ProcessError& error) {
        std::printf("refused: %s\n", error.what());
    }
    return true;
}();

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    mp::Process p(nothing, {.start_method = "spawn"});
    p.start();
    p.join();
    std::printf("exitcode %d\n", *p.exitcode());
}
