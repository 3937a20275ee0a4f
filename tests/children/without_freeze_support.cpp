// SPDX-License-Identifier: MIT
// A program that forgot freeze_support, or starts a process before it. With an argument nobody
// catches the error.
#include <multiprocessing/pool.hpp>
#include <multiprocessing/process.hpp>

#include <cstdio>
#include <string>

namespace mp = multiprocessing;

namespace {

void nothing() {}

void try_to_start(const char* where) {
    try {
        mp::Process p(nothing, {.start_method = "spawn"});
        p.start();
        p.join();
        std::printf("%s: started\n", where);
    } catch (const mp::ProcessError& error) {
        std::printf("%s: %s\n", where, error.what());
    }
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1)
        mp::Pool pool(1, {.start_method = "spawn"});
    try_to_start("main");
    if (mp::detail::has_fork) {
        mp::Process p(nothing, {.start_method = "fork"});
        p.start();
        p.join();
        std::printf("fork works\n");
    }
}
