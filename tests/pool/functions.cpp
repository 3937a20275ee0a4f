// SPDX-License-Identifier: MIT
// Many functions of one type: each call is told apart from those before it.
#include <multiprocessing/pool.hpp>

#include <array>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;

template <int N>
int plus(int x) {
    return x + N;
}

constexpr std::size_t count = 100;
using function = int (*)(int);

template <std::size_t... N>
constexpr std::array<function, count> all_of(std::index_sequence<N...>) {
    return {plus<N>...};
}
constexpr std::array<function, count> functions = all_of(std::make_index_sequence<count>());

int right_answers(mp::Pool& pool, std::size_t begin, std::size_t step) {
    int right = 0;
    for (std::size_t i = begin; i < count; i += step)
        right += pool.apply(functions[i], mp::args(1000)) == 1000 + static_cast<int>(i);
    return right;
}

TEST_CASE("pool: any number of functions of one type, from any thread") {
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    std::array<int, 4> right{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < right.size(); ++t)
            threads.emplace_back([&, t] { right[t] = right_answers(pool, t % 2, 2); });
    }
    CHECK(right == std::array{50, 50, 50, 50});
    CHECK(right_answers(pool, 0, 1) == 100);
}

}  // namespace
