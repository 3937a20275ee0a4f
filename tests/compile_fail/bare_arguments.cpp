// SPDX-License-Identifier: MIT
// Must not compile, and the diagnostic says where the arguments go.
// expect: args\(
#include <multiprocessing/pool.hpp>

#if defined(MULTIPROCESSING_TEST_CONTROL)
#define ARGUMENTS multiprocessing::args(1)
#else
#define ARGUMENTS 1
#endif

int main() {
    multiprocessing::Pool pool(1);
    return pool.apply([](int x) { return x; }, ARGUMENTS);
}
