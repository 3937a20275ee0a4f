// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/doorbell.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/pipe.hpp>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/other_process.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace multiprocessing::detail;
using namespace std::chrono_literals;
using key_list = std::vector<std::uint64_t>;

TEST_CASE("doorbell: rings on until it is silenced, however often it was rung") {
    const support::leftovers leftovers;
    doorbell bell;
    REQUIRE_FALSE(doorbell::create(bell));
    bool ready = true;
    CHECK_FALSE(wait_ready(bell.native(), deadline::now(), ready));
    CHECK_FALSE(ready);
    bell.silence();
    for (int i = 0; i < 1'000; ++i)
        REQUIRE_FALSE(bell.ring());
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(wait_ready(bell.native(), deadline::now(), ready));
        CHECK(ready);
    }
    bell.silence();
    CHECK_FALSE(wait_ready(bell.native(), deadline::now(), ready));
    CHECK_FALSE(ready);
}

#if defined(MULTIPROCESSING_POSIX)  // On Windows it is no counter.
TEST_CASE("doorbell: a counter that is full rings, and blocks nobody") {
    const support::watchdog watchdog;
    doorbell bell;
    REQUIRE_FALSE(doorbell::create(bell));
    const std::uint64_t almost = ~std::uint64_t{0} - 1;
    REQUIRE(::write(bell.native(), &almost, sizeof almost) == sizeof almost);
    CHECK_FALSE(bell.ring());
    bell.silence();
    bool ready = true;
    CHECK_FALSE(wait_ready(bell.native(), deadline::now(), ready));
    CHECK_FALSE(ready);
}
#endif

TEST_CASE("wait_set: names what is ready: bells, streams and processes that have ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    wait_set set;
    REQUIRE_FALSE(wait_set::create(set));
    doorbell bell;
    REQUIRE_FALSE(doorbell::create(bell));
    support::other_process child(EVERY_START_METHOD, support::run_for_ever, std::tuple<>());
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    handle sentinel;
    REQUIRE_FALSE(open_process(child.pid(), sentinel));
    REQUIRE_FALSE(set.add(bell.native(), 1));
    REQUIRE_FALSE(set.add(pipe.reader.get(), 2));
    REQUIRE_FALSE(set.add(sentinel.get(), ~std::uint64_t{0}));
    CHECK(set.add(bell.native(), 1) == std::errc::file_exists);

    key_list keys{7};
    CHECK_FALSE(set.wait(deadline::now(), keys));
    CHECK(keys.empty());
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(set.wait(deadline::after(30ms), keys));
    CHECK(keys.empty());
    CHECK(std::chrono::steady_clock::now() - start >= 30ms);

    REQUIRE_FALSE(bell.ring());
    CHECK_FALSE(set.wait(deadline::never(), keys));
    CHECK(keys == key_list{1});
    pipe.writer.reset();
    CHECK_FALSE(set.wait(deadline::never(), keys));
    std::sort(keys.begin(), keys.end());
    CHECK(keys == key_list{1, 2});
    set.remove(bell.native());
    set.remove(pipe.reader.get());
    child.kill();
    CHECK_FALSE(set.wait(deadline::never(), keys));
    CHECK(keys == key_list{~std::uint64_t{0}});
}

TEST_CASE("wait_set: in the end every one of many that are ready is named") {
    const support::leftovers leftovers;
    wait_set set;
    REQUIRE_FALSE(wait_set::create(set));
    std::vector<doorbell> bells(50);
    for (std::size_t i = 0; i < bells.size(); ++i) {
        REQUIRE_FALSE(doorbell::create(bells[i]));
        REQUIRE_FALSE(set.add(bells[i].native(), i));
        REQUIRE_FALSE(bells[i].ring());
    }
    std::vector<bool> named(bells.size());
    key_list keys;
    for (std::size_t left = bells.size(); left > 0;) {
        REQUIRE_FALSE(set.wait(deadline::now(), keys));
        REQUIRE_FALSE(keys.empty());
        for (const std::uint64_t key : keys) {
            REQUIRE_FALSE(named.at(key));
            named[key] = true;
            bells[key].silence();
            --left;
        }
    }
}

void ring_there(handle lent) {
    doorbell(std::move(lent)).ring();
}

TEST_CASE("doorbell: is heard in another process") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    doorbell bell;
    REQUIRE_FALSE(doorbell::create(bell));
    handle lent;
    REQUIRE_FALSE(duplicate(bell.native(), lent));
    support::other_process child(EVERY_START_METHOD, ring_there,
                                 multiprocessing::args(std::move(lent)));
    bool ready = false;
    CHECK_FALSE(wait_ready(bell.native(), deadline::never(), ready));
    CHECK(ready);
    CHECK(child.wait() == 0);
}

}  // namespace
