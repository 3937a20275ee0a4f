// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/pipe.hpp>

#include <csignal>
#include <cstddef>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include "support/posix/failing_calls.hpp"

#include <pthread.h>
#endif

namespace {

using namespace multiprocessing::detail;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string read_text(native_handle from) {
    std::vector<std::byte> buffer(100'000);
    std::string text;
    std::size_t count = 1;
    while (count > 0) {
        REQUIRE_FALSE(read_some(from, buffer, count));
        text.append(reinterpret_cast<const char*>(buffer.data()), count);
    }
    return text;
}

TEST_CASE("pipe: both pieces arrive, also where neither fits in the pipe") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    const std::string head(3'000'001, 'h');
    const std::string body(2'000'003, 'b');
    std::error_code sent;
    std::thread sender([&] {
        sent = write_all(pipe.writer.get(), bytes_of(head), bytes_of(body));
        if (!sent)
            sent = write_all(pipe.writer.get(), bytes_of("end"), {});
        pipe.writer.reset();
    });
    CHECK(read_text(pipe.reader.get()) == head + body + "end");
    sender.join();
    CHECK_FALSE(sent);
}

TEST_CASE("pipe: without a reader writing is an error and no signal") {
    const support::leftovers leftovers;
#if defined(MULTIPROCESSING_POSIX)
    REQUIRE(::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
#endif
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    pipe.reader.reset();
    CHECK(write_all(pipe.writer.get(), bytes_of("x"), {}) == std::errc::broken_pipe);
    CHECK(write_all(pipe.writer.get(), bytes_of("x"), bytes_of("y")) == std::errc::broken_pipe);
#if defined(MULTIPROCESSING_POSIX)
    ::sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
#endif
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGPIPE.
// Kernels before 6.18 cannot keep the signal from being raised: a guard takes it off again.
TEST_CASE("pipe: the same on a kernel that has to raise the signal") {
    posix::quiet_writes() = false;
    REQUIRE(::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    pipe_ends pipe;
    REQUIRE_FALSE(open_pipe(pipe));
    pipe.reader.reset();
    CHECK(write_all(pipe.writer.get(), bytes_of("x"), {}) == std::errc::broken_pipe);
    ::sigset_t state;
    REQUIRE(::sigpending(&state) == 0);
    CHECK(::sigismember(&state, SIGPIPE) == 0);
    REQUIRE(::pthread_sigmask(SIG_BLOCK, nullptr, &state) == 0);
    CHECK(::sigismember(&state, SIGPIPE) == 0);
    posix::quiet_writes() = true;
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGPIPE.
TEST_CASE("pipe: a SIGPIPE that was pending before stays pending") {
    for (const bool quiet : {true, false}) {
        posix::quiet_writes() = quiet;
        std::thread([] {
            ::sigset_t sigpipe;
            ::sigemptyset(&sigpipe);
            ::sigaddset(&sigpipe, SIGPIPE);
            ::pthread_sigmask(SIG_BLOCK, &sigpipe, nullptr);
            ::pthread_kill(::pthread_self(), SIGPIPE);
            pipe_ends pipe;
            CHECK_FALSE(open_pipe(pipe));
            pipe.reader.reset();
            CHECK(write_all(pipe.writer.get(), bytes_of("x"), {}) == std::errc::broken_pipe);
            ::sigset_t pending;
            ::sigpending(&pending);
            CHECK(::sigismember(&pending, SIGPIPE) == 1);
            const ::timespec at_once{};
            CHECK(::sigtimedwait(&sigpipe, nullptr, &at_once) == SIGPIPE);
        }).join();
    }
    posix::quiet_writes() = true;
}
#endif

TEST_CASE("pipe: ends are never at the places of the standard streams") {
    pipe_ends pipe;
    std::error_code error;
    {
        const support::closed_streams closed;
        error = open_pipe(pipe);
    }
    CHECK_FALSE(error);
    for (const native_handle end : {pipe.reader.get(), pipe.writer.get()}) {
        CHECK(end > 2);
        CHECK_FALSE(support::is_inherited(end));
    }
}

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
TEST_CASE("pipe: that the system has none left is told") {
    const support::leftovers leftovers;
    const support::failure failure(support::pipe2_call, EMFILE);
    pipe_ends pipe;
    CHECK(open_pipe(pipe) == std::errc::too_many_files_open);
    CHECK_FALSE(pipe.reader);
    CHECK_FALSE(open_pipe(pipe));
}
#endif

}  // namespace
