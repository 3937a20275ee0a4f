// SPDX-License-Identifier: MIT
// A program of somebody else's: everything it needs arrives with multiprocessing::multiprocessing.
#include <multiprocessing/error.hpp>

#include <fmt/core.h>

#include <thread>

int main() {
    int status = 1;
    std::thread thread([&status] {
        try {
            throw multiprocessing::ValueError("out of range");
        } catch (const std::invalid_argument& error) {
            fmt::print("{}\n", error.what());
            status = 0;
        }
    });
    thread.join();
    return status;
}
