// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/sanitized.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <sys/resource.h>
#else
#include "support/windows/api.hpp"
#endif

namespace mp = multiprocessing;

namespace {

#if defined(MULTIPROCESSING_POSIX)
/// No file of a crash's memory is left behind.
void crash_quietly() {
    const ::rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
}

void touch_nothing() {
    std::raise(SIGSEGV);
}
#else
/// No window and no debugger comes up.
void crash_quietly() {
    ::SetUnhandledExceptionFilter(
        [](::EXCEPTION_POINTERS*) noexcept -> ::LONG { return EXCEPTION_EXECUTE_HANDLER; });
}

void touch_nothing() {
    ::RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, nullptr);
}
#endif

int overflow(int depth) {
    volatile int here[256] = {};
    here[0] = depth;
    return depth < 0 ? 0 : overflow(depth + 1) + here[0];
}

/// Memory that nobody looks at need not be asked for.
std::vector<char> taken;

void explode(const std::string& way) {
    crash_quietly();
    if (way == "throw")
        throw std::length_error("boom");
    if (way == "exit")
        std::exit(3);
    if (way == "_exit")
        mp::os::_exit(3);
    if (way == "segv")
        touch_nothing();
    if (way == "kill")
        support::die_of(support::kill_signal);
    if (way == "overflow")
        overflow(0);
    if (way == "memory")
        taken = std::vector<char>(
            static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / 2);
}

/// Explodes at its place on its way there and back.
struct bomb {
    std::string place;
    std::string way;

    template <class Archive>
    void serialize(Archive& archive) {
        const bool in_worker = mp::current_process().name() != "MainProcess";
        archive(place, way);
        if (place == (in_worker ? "worker" : "parent"))
            explode(way);
    }
};

int take(const bomb&) {
    return 1;
}
bomb make(const std::string& place, const std::string& way) {
    return {place, way};
}
int run(const std::string& way) {
    explode(way);
    return 1;
}

/// What is thrown, in a word.
template <class Act>
std::string outcome(Act act) {
    try {
        act();
        return "nothing";
    } catch (const mp::WorkerLostError& error) {
        return error.signal().empty() ? "status " + std::to_string(error.exitcode().value())
                                      : error.signal();
    } catch (const std::length_error&) {
        return "length_error";
    } catch (const std::bad_alloc&) {
        return "bad_alloc";
    } catch (const std::exception& error) {
        return error.what();
    }
}

struct row {
    const char* way;
    const char* outcome;
};
#if defined(MULTIPROCESSING_POSIX)
constexpr const char* no_memory_there = "SIGSEGV";
constexpr bool overflow_is_told = true;
#else
constexpr const char* no_memory_there = "exception 0xC0000005";
constexpr bool overflow_is_told = false;  // Wine ends a process without a stack with status 0.
#endif
constexpr row rows[] = {{"throw", "length_error"},    {"exit", "status 3"},
                        {"_exit", "status 3"},        {"kill", "SIGKILL"},
                        {"memory", "bad_alloc"},      {"segv", no_memory_there},
                        {"overflow", no_memory_there}};

/// Whether it is the affair of a sanitizer, or of the system, what becomes of it: then it is enough
/// that the task fails.
bool may_be_anything(const std::string& way) {
    if (way == "overflow")
        return support::sanitized || !overflow_is_told;
    return support::sanitized && (way == "memory" || way == "segv");
}

void check(const row& expected, const std::string& found) {
    INFO(expected.way);
    if (may_be_anything(expected.way))
        CHECK(found != "nothing");
    else
        CHECK(found == expected.outcome);
}

}  // namespace

TEST_CASE("pool: every way to fail at every place is the right error, and the pool works on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (const row& expected : rows) {
        const std::string way = expected.way;
        check(expected, outcome([&] { pool.apply(take, mp::args(bomb{"worker", way})); }));
        check(expected, outcome([&] { pool.apply(run, mp::args(way)); }));
        check(expected, outcome([&] { pool.apply(make, mp::args("worker", way)); }));
        CHECK(pool.apply(take, mp::args(bomb{"nowhere", way})) == 1);
        CHECK(pool.apply(make, mp::args("nowhere", way)).way == way);
    }
    // Here only an exception is left of the ways: all others are this process' own.
    CHECK(outcome([&] { pool.apply(take, mp::args(bomb{"parent", "throw"})); }) == "length_error");
    CHECK(outcome([&] { pool.apply(make, mp::args("parent", "throw")); }) == "length_error");
    CHECK(pool.apply(take, mp::args(bomb{"nowhere", ""})) == 1);
}

TEST_CASE("pool: the same in the midst of a stream costs one element") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    for (const row& expected : rows) {
        std::vector<bomb> bombs(30, bomb{"nowhere", ""});
        bombs[13] = {"worker", expected.way};
        auto results = pool.imap(take, bombs);
        for (int i = 0; i < 30; ++i) {
            if (i == 13)
                check(expected, outcome([&] { results.next(); }));
            else
                CHECK(results.next() == 1);
        }
        CHECK_FALSE(results.next());
    }
}
