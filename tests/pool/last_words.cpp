// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

void complain_and_end(int lines) {
    for (int i = 1; i <= lines; ++i)
        std::fprintf(stderr, "line %d\n", i);
    std::cerr << "the end" << std::endl;
    mp::os::_exit(3);
}

std::string last_words(mp::Pool& pool, int lines) {
    try {
        pool.apply(complain_and_end, mp::args(lines));
    } catch (const mp::WorkerLostError& error) {
        CHECK((error.last_words().empty() || support::contains(error.what(), error.last_words())));
        return error.last_words();
    }
    return "it was not lost";
}

}  // namespace

TEST_CASE("pool: a lost worker's last lines are told, if asked for") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string method = EVERY_START_METHOD;
    mp::Pool pool(2, {.start_method = method, .keep_errors = true});
    CHECK(last_words(pool, 0) == "the end");
    CHECK(last_words(pool, 2) == "line 1\nline 2\nthe end");
    const std::string many = last_words(pool, 5000);
    CHECK(support::count_of(many, "\n") == 9);
    CHECK(support::contains(many, "line 5000\nthe end"));
    CHECK(pool.map(square, std::vector<int>{1, 2, 3}) == std::vector<int>{1, 4, 9});
    mp::Pool quiet(1, {.start_method = method});
    CHECK(last_words(quiet, 1).empty());
}

TEST_CASE("pool: a worker that writes very much to standard error goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD, .keep_errors = true});
    const auto result = pool.map_async(
        [](int x) {
            std::fprintf(stderr, "%s\n", std::string(20000, '.').c_str());
            return x;
        },
        std::vector<int>(20, 4), {.chunksize = 1});
    CHECK(result.get() == std::vector<int>(20, 4));
    pool.close();
    pool.join();
}

TEST_CASE("pool: the last lines of a text") {
    using mp::detail::last_lines;
    CHECK(last_lines("", 3).empty());
    CHECK(last_lines("a", 3) == "a");
    CHECK(last_lines("a\nb\n", 3) == "a\nb");
    CHECK(last_lines("a\nb\nc\n", 2) == "b\nc");
    CHECK(last_lines("a\nb\nc", 1) == "c");
}
