// SPDX-License-Identifier: MIT
// Mirrors multiprocessing.Pool: apply_async(), close() and join(), five tasks on four workers.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <chrono>
#include <cstdio>
#include <random>
#include <thread>

namespace mp = multiprocessing;

void long_time_task(int name) {
    fmt::print("Run task {} ({})...\n", name, mp::os::getpid());
    std::fflush(stdout);
    const auto start = std::chrono::steady_clock::now();
    std::uniform_real_distribution<double> seconds(0, 3);
    std::random_device random;
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds(random)));
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    fmt::print("Task {} runs {:.2f} seconds.\n", name, time.count());
    std::fflush(stdout);
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);

    fmt::print("Parent process {}.\n", mp::os::getpid());
    mp::Pool pool(4);
    for (int i = 0; i < 5; ++i)
        pool.apply_async(long_time_task, mp::args(i));
    fmt::print("Waiting for all subprocesses done...\n");
    std::fflush(stdout);
    pool.close();
    pool.join();
    fmt::print("All subprocesses done.\n");
}
