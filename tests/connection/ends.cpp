// SPDX-License-Identifier: MIT
// The two ends of a pipe: their directions, their copies, their closing, and who inherits them.
#include <multiprocessing/connection.hpp>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

namespace {

namespace mp = multiprocessing;

std::string any_method() {
    return GENERATE(from_range(mp::detail::all_start_methods()));
}

TEST_CASE("connection: of a pipe that is not duplex the first end receives, the second sends") {
    const support::leftovers leftovers;
    auto [reader, writer] = mp::Pipe({.duplex = false});
    CHECK(reader.readable());
    CHECK_FALSE(reader.writable());
    CHECK(writer.writable());
    CHECK_FALSE(writer.readable());
    writer.send(5);
    CHECK(reader.recv<int>() == 5);
    CHECK_THROWS_WITH(reader.send(1), "connection is read-only");
    CHECK_THROWS_WITH(reader.send_bytes("x"), "connection is read-only");
    CHECK_THROWS_WITH(writer.recv<int>(), "connection is write-only");
    CHECK_THROWS_WITH(writer.recv_bytes(), "connection is write-only");
    CHECK_THROWS_WITH(writer.poll(), "connection is write-only");
    auto [left, right] = mp::Pipe();
    for (const auto* const end : {&left, &right})
        CHECK((end->readable() && end->writable()));
}

TEST_CASE("connection: a closed end is closed in all its copies here, and says so") {
    const support::leftovers leftovers;
    auto [left, right] = mp::Pipe();
    mp::Connection copy = left;
    CHECK(copy == left);
    CHECK_FALSE(left == right);
    copy.close();
    copy.close();
    CHECK(left.closed());
    CHECK_FALSE(left.readable());
    CHECK_FALSE(left.writable());
    CHECK_THROWS_AS(left.send(1), mp::ValueError);
    CHECK_THROWS_AS(left.recv<int>(), mp::ValueError);
    CHECK_THROWS_AS(left.send_bytes("x"), mp::ValueError);
    CHECK_THROWS_AS(left.recv_bytes(), mp::ValueError);
    std::byte room[1];
    CHECK_THROWS_AS(left.recv_bytes_into(room), mp::ValueError);
    CHECK_THROWS_AS(left.poll(), mp::ValueError);
    CHECK_THROWS_AS(left.fileno(), mp::ValueError);
    mp::Process child([](mp::Connection) {}, mp::args(left), {.start_method = "spawn"});
    CHECK_THROWS_AS(child.start(), mp::PicklingError);
}

TEST_CASE("connection: sending to nobody is EPIPE and no signal") {
    const support::leftovers leftovers;
#if defined(MULTIPROCESSING_POSIX)
    REQUIRE(::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
#endif
    auto [left, right] = mp::Pipe();
    right.close();
    for (int i = 0; i < 2; ++i) {
        try {
            left.send(std::string(100'000, 'x'));
            FAIL("it was sent");
        } catch (const std::system_error& error) {
            CHECK(error.code() == std::errc::broken_pipe);
        }
    }
#if defined(MULTIPROCESSING_POSIX)
    ::sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    CHECK(::sigismember(&pending, SIGPIPE) == 0);
#endif
    CHECK_THROWS_AS(left.recv<int>(), mp::EOFError);
}

void answer(mp::Connection end) {
    end.send(end.recv<int>() + 1);
}

TEST_CASE("connection: the parent may close the child's end right after start") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    for (int i = 0; i < 10; ++i) {
        auto [ours, theirs] = mp::Pipe();
        mp::Process child(answer, mp::args(theirs), {.start_method = method});
        child.start();
        theirs.close();
        ours.send(i);
        CHECK(ours.recv<int>() == i + 1);
        CHECK(child.join());
        CHECK_THROWS_AS(ours.recv<int>(), mp::EOFError);
    }
}

void answer_nested(std::vector<std::optional<mp::Connection>> ends,
                   std::map<std::string, mp::Connection> named, mp::Connection same) {
    named.at("writer").send(ends.at(1)->recv<std::string>());
    if (same.recv<int>() != 3)
        throw mp::ProcessError("wrong message");
}

TEST_CASE("connection: ends go to a child within other values, one of a direction too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    auto [ours, theirs] = mp::Pipe();
    auto [reader, writer] = mp::Pipe({.duplex = false});
    using ends = std::vector<std::optional<mp::Connection>>;
    using names = std::map<std::string, mp::Connection>;
    mp::Process child(answer_nested,
                      mp::args(ends{std::nullopt, theirs}, names{{"writer", writer}}, theirs),
                      {.start_method = method});
    child.start();
    ours.send("through");
    ours.send(3);
    CHECK(reader.recv<std::string>() == "through");
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
}

void hand_on(mp::Connection end, std::string method) {
    mp::Process child(answer, mp::args(end), {.start_method = method});
    child.start();
    child.join();
}

TEST_CASE("connection: a child hands an end on to its own child") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto first = any_method();
    const auto second = any_method();
    auto [ours, theirs] = mp::Pipe();
    mp::Process child(hand_on, mp::args(theirs, second), {.start_method = first});
    child.start();
    ours.send(41);
    CHECK(ours.recv<int>() == 42);
    CHECK(child.join());
}

TEST_CASE("connection: works where the parent has no standard streams") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = any_method();
    int got = 0;
    mp::detail::native_handle lowest = 0;
    {
        const support::closed_streams closed;
        auto [ours, theirs] = mp::Pipe();
        lowest = std::min(ours.fileno(), theirs.fileno());
        mp::Process child(answer, mp::args(theirs), {.start_method = method});
        child.start();
        ours.send(1);
        got = ours.recv<int>();
        child.join();
    }
    CHECK(got == 2);
    CHECK(lowest > 2);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows interrupts no wait for a handler.
std::atomic<int> handled{0};

TEST_CASE("connection: signal handlers interrupt neither recv nor a large send") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    struct sigaction before {};
    struct sigaction count {};
    count.sa_handler = [](int) { ++handled; };
    REQUIRE(::sigaction(SIGUSR1, &count, &before) == 0);
    {
        auto [left, right] = mp::Pipe();
        const std::string large(3'000'000, 'x');
        std::atomic<bool> received{false};
        std::thread receiver([&, end = left]() mutable { received = end.recv<int>() == 1; });
        std::thread sender([&, end = left]() mutable { end.send(large); });
        for (int i = 0; i < 100; ++i) {
            const int seen = handled;
            ::pthread_kill(receiver.native_handle(), SIGUSR1);
            ::pthread_kill(sender.native_handle(), SIGUSR1);
            while (handled == seen)
                std::this_thread::yield();
        }
        CHECK_FALSE(received);
        CHECK(right.recv<std::string>() == large);
        right.send(1);
        sender.join();
        receiver.join();
        CHECK(received);
    }
    ::sigaction(SIGUSR1, &before, nullptr);
}
#endif

}  // namespace
