// SPDX-License-Identifier: MIT
#include <multiprocessing/connection.hpp>

#include <chrono>
#include <string>
#include <thread>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST_CASE("connection: poll waits as long as it is asked to, and no value of time is forever") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    auto [left, right] = mp::Pipe();
    CHECK_FALSE(left.poll());
    CHECK_FALSE(left.poll(0s));
    CHECK_FALSE(left.poll(-1s));
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(left.poll(70ms));
    CHECK(std::chrono::steady_clock::now() - start >= 70ms);
    std::thread sender([end = right]() mutable { end.send_bytes("late"); });
    CHECK(left.poll(std::nullopt));
    sender.join();
    CHECK(left.poll());
    CHECK(text_of(left.recv_bytes()) == "late");
    CHECK_FALSE(left.poll());
}

TEST_CASE("connection: a message without a byte is something to receive") {
    auto [left, right] = mp::Pipe();
    right.send_bytes("");
    for (int i = 0; i < 3; ++i)
        CHECK(left.poll());
    CHECK(left.recv_bytes().empty());
    CHECK_FALSE(left.poll());
}

TEST_CASE("connection: an end of file is something to receive, again and again") {
    auto [left, right] = mp::Pipe();
    right.send_bytes("last");
    right.close();
    CHECK(left.poll());
    CHECK(text_of(left.recv_bytes()) == "last");
    for (int i = 0; i < 3; ++i) {
        CHECK(left.poll());
        CHECK(left.poll(std::nullopt));
        CHECK_THROWS_AS(left.recv_bytes(), mp::EOFError);
    }
}

TEST_CASE("connection: messages keep their boundaries, empty ones too, however often one polls") {
    auto [left, right] = mp::Pipe();
    const char* const texts[] = {"hello", "", "a", "b", "", "bye", "", "lop"};
    for (const char* const text : texts)
        right.send_bytes(text);
    for (const char* const text : texts) {
        CHECK(left.poll());
        CHECK(left.poll());
        CHECK(text_of(left.recv_bytes()) == text);
    }
    CHECK_FALSE(left.poll());
}

void take_one(mp::Connection shared, mp::Connection result) {
    while (!shared.poll(1ms)) {
    }
    result.send(text_of(shared.recv_bytes()));
}

// Were a message read ahead of its turn, or a part of one by poll, the other process would find
// the stream in its middle.
TEST_CASE("connection: two processes that take turns at one end find whole messages") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    auto [shared, writer] = mp::Pipe({.duplex = false});
    auto [results, answer] = mp::Pipe({.duplex = false});
    for (int i = 0; i < 10; ++i) {
        writer.send_bytes("first");
        writer.send_bytes(std::string(100, 's'));
        writer.send_bytes("third");
        CHECK(shared.poll());
        CHECK(text_of(shared.recv_bytes()) == "first");
        mp::Process child(take_one, mp::args(shared, answer), {.start_method = method});
        child.start();
        CHECK(results.recv<std::string>() == std::string(100, 's'));
        CHECK(child.join());
        CHECK(text_of(shared.recv_bytes()) == "third");
    }
}

}  // namespace
