// SPDX-License-Identifier: MIT
// A program of somebody else's: everything it needs arrives with multiprocessing::multiprocessing.
#include <multiprocessing/multiprocessing.hpp>

#include <cstdio>
#include <vector>

namespace mp = multiprocessing;

int twice(int x) {
    return 2 * x;
}

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    for (const auto& method : mp::detail::all_start_methods()) {
        mp::Pool pool(2, {.start_method = method});
        if (pool.map(twice, std::vector<int>{1, 2, 3}) != std::vector<int>{2, 4, 6}) {
            std::fprintf(stderr, "a pool started by %s gave wrong results\n", method.c_str());
            return 1;
        }
    }
    return 0;
}
