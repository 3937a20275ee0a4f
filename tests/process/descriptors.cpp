// SPDX-License-Identifier: MIT
#include <multiprocessing/process.hpp>

#include <set>
#include <string>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace mp = multiprocessing;

namespace {

void nothing() {}

#if defined(MULTIPROCESSING_POSIX)
/// What is open besides the streams and what the answer goes by, by kind.
void tell_descriptors(mp::detail::handle to) {
    std::string words;
    for (const auto& [fd, target] : support::open_descriptors()) {
        if (fd <= 2 || fd == to.get())
            continue;
        words += target.substr(0, target.find(':')) + " ";
    }
    support::say(to, words + ".");
}

void tell_whether_open(mp::detail::handle to, int fd) {
    support::say(to, ::fcntl(fd, F_GETFD) == -1 ? "closed" : "open");
}
#endif

}  // namespace

// What stands between here and #endif asks by their numbers for descriptors, which Windows has not;
// windows/handles.cpp asks there.
#if defined(MULTIPROCESSING_POSIX)
TEST_CASE("process: a spawned child has its streams, its tie and what was handed over") {
    const support::watchdog guard;
    const support::leftovers check;
    // Without close-on-exec, as other libraries open theirs.
    const mp::detail::handle careless(::open("/dev/null", O_RDONLY));
    support::gate gate;
    mp::Process p(tell_descriptors, mp::args(gate.writer()), {.start_method = "spawn"});
    p.start();
    CHECK(support::hear(gate.ends.reader) == "pipe .");
    p.join();
}

TEST_CASE("process: a forked child has the parent's descriptors, a spawned one has not") {
    const support::watchdog guard;
    const support::leftovers check;
    const mp::detail::handle file(::open("/dev/null", O_RDONLY));
    const std::string method = EVERY_START_METHOD;
    support::gate gate;
    mp::Process p(tell_whether_open, mp::args(gate.writer(), file.get()), {.start_method = method});
    p.start();
    CHECK(support::hear(gate.ends.reader) == (method == "fork" ? "open" : "closed"));
    p.join();
}

#endif

TEST_CASE("process: many starts leave no handle behind") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string method = EVERY_START_METHOD;
    const auto start_one = [&] {
        mp::Process p(nothing, {.start_method = method});
        p.start();
        p.join();
        REQUIRE(p.exitcode() == 0);
    };
    start_one();  // What is made once is made now.
    const auto before = support::count_handles();
    for (int i = 0; i < 200 / support::part_of_rounds; ++i)
        start_one();
    CHECK(support::count_handles() == before);
}
