// SPDX-License-Identifier: MIT
// Mirrors multiprocessing.Queue: one child writes, another reads for ever and is terminated.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <thread>

namespace mp = multiprocessing;

void write_values(mp::Queue<std::string>& queue) {
    fmt::print("Process to write: {}\n", mp::os::getpid());
    std::uniform_real_distribution<double> seconds(0.1, 1);
    std::random_device random;
    for (const std::string value : {"A", "B", "C"}) {
        fmt::print("Put {} to queue...\n", value);
        std::fflush(stdout);
        queue.put(value);
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds(random)));
    }
}

void read_values(mp::Queue<std::string>& queue) {
    fmt::print("Process to read: {}\n", mp::os::getpid());
    std::fflush(stdout);
    for (;;) {
        const std::string value = queue.get(true);
        fmt::print("Get {} from queue.\n", value);
        std::fflush(stdout);
    }
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);

    mp::Queue<std::string> queue;
    mp::Process writer(write_values, mp::args(queue));
    mp::Process reader(read_values, mp::args(queue));
    writer.start();
    reader.start();
    writer.join();
    reader.terminate();  // It reads for ever: nothing else would end it.
    reader.join();
}
