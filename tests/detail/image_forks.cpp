// SPDX-License-Identifier: MIT
// POSIX only: Windows has no fork.
#include <multiprocessing/detail/callable.hpp>

#include <stop_token>
#include <thread>

#include <multiprocessing/os.hpp>

#include "support/catch.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using mp::detail::image_place;
using mp::detail::locate_code;

// A child once waited for ever for the loader's own lock, which another thread of its parent had
// when it was forked.
TEST_CASE("image: a child that is forked while others ask what is loaded can ask, too") {
    const support::watchdog watchdog;
    static int no_code = 0;
    // Not known: the loader is asked each time.
    const auto ask = [] {
        image_place place;
        return locate_code(&no_code, place);
    };
    const std::jthread other([&](const std::stop_token& stop) {
        while (!stop.stop_requested())
            ask();
    });
    int wrong = 0;
    for (int i = 0; i < 100; ++i) {
        const int child = mp::os::fork();
        if (child == 0) {
            const support::watchdog watchdog_of_copy(60);
            mp::os::_exit(ask() ? 1 : 0);
        }
        wrong += mp::os::waitstatus_to_exitcode(mp::os::waitpid(child).status) != 0;
    }
    CHECK(wrong == 0);
}

}  // namespace
