// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/handle.hpp>

#include <chrono>
#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/os/pipe.hpp>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

using namespace multiprocessing::detail;
using namespace std::chrono_literals;

using support::is_open;

TEST_CASE("handle: closes what it owns, once") {
    const support::leftovers leftovers;
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    const native_handle reader = pipe.reader.get();
    {
        handle moved = std::move(pipe.reader);
        CHECK_FALSE(pipe.reader);
        CHECK(pipe.reader.get() == no_handle);
        CHECK(moved.get() == reader);
        auto& itself = moved;
        moved = std::move(itself);
        CHECK(is_open(reader));
    }
    CHECK_FALSE(is_open(reader));
    const native_handle writer = pipe.writer.release();
    CHECK(is_open(writer));
    pipe.writer.reset(writer);
    pipe.writer.reset();
    CHECK_FALSE(is_open(writer));
}

TEST_CASE("handle: a duplicate lives on, above the standard streams and not inherited") {
    const support::leftovers leftovers;
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    handle copy;
    REQUIRE_FALSE(duplicate(pipe.writer.get(), copy));
    CHECK(copy.get() > 2);
    CHECK_FALSE(support::is_inherited(copy.get()));
    pipe.writer.reset();
    bool ready = true;
    CHECK_FALSE(wait_ready(pipe.reader.get(), deadline::now(), ready));
    CHECK_FALSE(ready);
    copy.reset();
    CHECK_FALSE(wait_ready(pipe.reader.get(), deadline::now(), ready));
    CHECK(ready);
    CHECK(duplicate(no_handle, copy) == std::errc::bad_file_descriptor);
    handle none;
    CHECK(adopt(support::never_opened(), none) == std::errc::bad_file_descriptor);
    CHECK_FALSE(none);
}

TEST_CASE("handle: of several all that are ready are named, in order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::vector<pipe_ends> pipes(5);
    std::vector<native_handle> readers;
    for (auto& pipe : pipes) {
        REQUIRE_FALSE(open_pipe(pipe));
        readers.push_back(pipe.reader.get());
    }
    std::vector<std::size_t> places{9};
    CHECK_FALSE(wait_ready(readers, deadline::now(), places));
    CHECK(places.empty());
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(wait_ready(readers, deadline::after(20ms), places));
    CHECK(std::chrono::steady_clock::now() - start >= 20ms);
    pipes[3].writer.reset();
    REQUIRE_FALSE(write_all(pipes[1].writer.get(), std::as_bytes(std::span("x")), {}));
    CHECK_FALSE(wait_ready(readers, deadline::never(), places));
    CHECK(places == std::vector<std::size_t>{1, 3});
    readers[2] = support::never_opened();
    CHECK(wait_ready(readers, deadline::never(), places) == std::errc::bad_file_descriptor);
    bool ready = false;
    CHECK(wait_ready(support::never_opened(), deadline::never(), ready) ==
          std::errc::bad_file_descriptor);
}

}  // namespace
