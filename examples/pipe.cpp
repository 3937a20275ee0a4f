// SPDX-License-Identifier: MIT
// Mirrors multiprocessing.Pipe: the two ends, one here and one in a child.
#include <fmt/core.h>
#include <multiprocessing/multiprocessing.hpp>

#include <string>
#include <vector>

namespace mp = multiprocessing;

void child(mp::Connection& connection) {
    const auto numbers = connection.recv<std::vector<int>>();
    int sum = 0;
    for (const int number : numbers)
        sum += number;
    connection.send(fmt::format("the sum of {} numbers is {}", numbers.size(), sum));
    connection.close();
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);

    auto [here, there] = mp::Pipe();
    mp::Process p(child, mp::args(there));
    p.start();
    there.close();  // The child has it: an end of file can only be seen when no other copy is open.
    here.send(std::vector<int>{1, 2, 3});
    fmt::print("Child says: {}.\n", here.recv<std::string>());
    p.join();
}
