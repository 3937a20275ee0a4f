// SPDX-License-Identifier: MIT
// Mirrors concurrent.futures.ProcessPoolExecutor: submit(), map(), a task that fails and one that
// takes too long.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

bool is_prime(long long n) {
    if (n < 2)
        throw std::domain_error(fmt::format("{} is neither prime nor composite", n));
    for (long long factor = 2; factor * factor <= n; ++factor)
        if (n % factor == 0)
            return false;
    return true;
}

void think() {
    std::this_thread::sleep_for(24h);
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);

    mp::futures::ProcessPoolExecutor executor(2);
    const std::vector<long long> numbers{112272535095293, 112582705942171, 115280095190773};
    auto number = numbers.begin();
    for (const bool prime : executor.map(is_prime, numbers))
        fmt::print("{} is {}.\n", *number++, prime ? "prime" : "not prime");

    const auto one = executor.submit(is_prime, 1);
    const auto thought = executor.submit({.timeout = 100ms}, think);
    try {
        one.result();
    } catch (const std::domain_error& error) {
        fmt::print("Failed: {}.\n", error.what());
    }
    try {
        thought.result();
    } catch (const mp::TimeoutError&) {
        fmt::print("One task took too long and was ended.\n");
    }
}
