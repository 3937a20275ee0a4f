// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/first_use.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/os.hpp>
#endif

namespace {

using multiprocessing::detail::first_use;

TEST_CASE("first use: the value is made once, and again where that has failed") {
    static constinit first_use<int> value;
    CHECK_THROWS_AS(value.get([]() -> int { throw std::runtime_error("no"); }), std::runtime_error);
    int& made = value.get([] { return 7; });
    CHECK(made == 7);
    CHECK(&value.get([] { return 8; }) == &made);
}

TEST_CASE("first use: threads that come at once get the same value") {
    const support::watchdog watchdog;
    static constinit first_use<std::atomic<int>> value;
    std::atomic<int> makers{0};
    std::array<std::atomic<int>*, 4> got{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t t = 0; t < got.size(); ++t)
            threads.emplace_back([&, t] {
                got[t] = &value.get([&] {
                    // All of them are here before the first has made it.
                    for (++makers; makers != 4;)
                        std::this_thread::yield();
                    return std::atomic<int>(static_cast<int>(t));
                });
            });
    }
    for (const std::atomic<int>* one : got)
        CHECK(one == got[0]);
}

#if defined(MULTIPROCESSING_POSIX)  // No copies of a process elsewhere.
TEST_CASE("first use: a child that is copied while a value is made makes its own") {
    const support::watchdog watchdog;
    namespace os = multiprocessing::os;
    static constinit first_use<int> value;
    CHECK(value.get([] {
        if (const int child = os::fork()) {
            const auto end = os::waitpid(child, 0);
            return os::waitstatus_to_exitcode(end.status);
        }
        os::_exit(value.get([] { return 5; }));
    }) == 5);
}
#endif

}  // namespace
