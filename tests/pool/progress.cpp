// SPDX-License-Identifier: MIT
// POSIX only: the terminal is a pair of its own making.
#include <multiprocessing/pool.hpp>
#include <multiprocessing/thread_pool.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <ranges>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/watchdog.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int nap(int x) {
    std::this_thread::sleep_for(10ms);
    return x;
}

/// What `body`, run in a process of its own, writes to standard error: a terminal, or a pipe.
template <class Body>
std::string standard_error_of(bool terminal, Body body) {
    int ends[2] = {-1, -1};
    if (terminal) {
        ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        REQUIRE(ends[0] != -1);
        REQUIRE(::grantpt(ends[0]) == 0);
        REQUIRE(::unlockpt(ends[0]) == 0);
        ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
    } else {
        REQUIRE(::pipe(ends) == 0);
    }
    REQUIRE(ends[1] != -1);
    const int child = mp::os::fork();
    if (child == 0) {
        ::dup2(ends[1], 2);
        body();
        mp::os::_exit(0);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[1024];
    for (::ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    mp::os::waitpid(child);
    return text;
}

void map_in_sight() {
    std::vector<int> numbers(101);
    std::iota(numbers.begin(), numbers.end(), 0);
    mp::Pool pool(2, {.start_method = "fork"});
    if (pool.map(nap, numbers, {.chunksize = 2, .progress = true}) != numbers)
        mp::os::_exit(1);
}

void map_threads_in_sight() {
    mp::ThreadPool pool(2);
    if (pool.map(nap, std::vector<int>(101, 3), {.chunksize = 2, .progress = true}).size() != 101)
        mp::os::_exit(1);
}

int fail_at_fifty(int x) {
    std::this_thread::sleep_for(4ms);
    if (x == 50)
        throw std::out_of_range("fifty");
    return x;
}

/// Says what was thrown, after the line.
template <class Act>
void fail_in_sight(Act act) {
    try {
        act(std::views::iota(0, 101));
    } catch (const std::out_of_range& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
}

template <class Pool, class Range>
void stream_in_sight(Pool& pool, const Range& range) {
    int results = 0;
    for (const int x : pool.imap(nap, range, {.progress = true}))
        results += x == results;
    if (results != 50)
        mp::os::_exit(1);
}

void expect_progress(const std::string& text, const std::string& end) {
    CHECK(support::contains(text, end));
    CHECK(support::count_of(text, "\r") >= 2);
    CHECK(support::count_of(text, "\n") == 1);
}

}  // namespace

TEST_CASE("pool: a map shows on a terminal how far it has come") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    expect_progress(standard_error_of(true, map_in_sight), "100% 101/101 [");
    expect_progress(standard_error_of(true, map_threads_in_sight), "100% 101/101 [");
}

TEST_CASE("pool: a stream shows how many results have been read, and of how many if that is known") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto sized = std::views::iota(0, 50);
    const auto unsized = std::views::iota(0) | std::views::take_while([](int x) { return x < 50; });
    const auto by_processes = [](const auto& range) {
        mp::Pool pool(2, {.start_method = "fork"});
        stream_in_sight(pool, range);
    };
    const auto by_threads = [](const auto& range) {
        mp::ThreadPool pool(2);
        stream_in_sight(pool, range);
    };
    expect_progress(standard_error_of(true, [&] { by_processes(sized); }), "100% 50/50 [");
    expect_progress(standard_error_of(true, [&] { by_processes(unsized); }), "\r50 [");
    expect_progress(standard_error_of(true, [&] { by_threads(sized); }), "100% 50/50 [");
    CHECK(standard_error_of(false, [&] { by_processes(sized); }).empty());
}

TEST_CASE("pool: a map or a stream that fails ends its line, and says nothing else") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto failed_map = [] {
        mp::Pool pool(2, {.start_method = "fork"});
        fail_in_sight([&](const auto& numbers) {
            pool.map(fail_at_fifty, numbers, {.chunksize = 1, .progress = true});
        });
    };
    const auto failed_map_of_threads = [] {
        mp::ThreadPool pool(2);
        fail_in_sight([&](const auto& numbers) {
            pool.map(fail_at_fifty, numbers, {.chunksize = 1, .progress = true});
        });
    };
    const auto failed_stream = [] {
        mp::Pool pool(2, {.start_method = "fork"});
        fail_in_sight([&](const auto& numbers) {
            for ([[maybe_unused]] const int x :
                 pool.imap(fail_at_fifty, numbers, {.progress = true})) {
            }
        });
    };
    for (const std::string& text :
         {standard_error_of(true, failed_map), standard_error_of(true, failed_map_of_threads),
          standard_error_of(true, failed_stream)}) {
        INFO(text);
        CHECK(support::contains(text, "/101 ["));
        CHECK(support::count_of(text, "\n") == 2);
        CHECK(support::contains(text, "\nfifty"));
    }
}

TEST_CASE("pool: where standard error is no terminal a map shows nothing") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    CHECK(standard_error_of(false, map_in_sight).empty());
}

TEST_CASE("pool: the line says share, count, time passed and left, and rate") {
    using std::chrono::duration;
    const auto text = [](std::size_t done, std::size_t total, double seconds) {
        return mp::detail::progress_text(done, total, duration<double>(seconds));
    };
    CHECK(text(450, 1000, 5) == " 45% 450/1000 [00:05<00:06, 90.0/s]");
    CHECK(text(0, 10, 3) == "  0% 0/10 [00:03<?, 0.0/s]");
    CHECK(text(0, 0, 0) == "100% 0/0 [00:00<?, 0.0/s]");
    CHECK(mp::detail::progress_text(450, {}, duration<double>(5)) == "450 [00:05, 90.0/s]");
    CHECK(text(10, 10, 3725) == "100% 10/10 [1:02:05<00:00, 0.0/s]");
}
