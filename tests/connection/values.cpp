// SPDX-License-Identifier: MIT
// Values through a pipe: what was sent is received as the type it was sent as, or not at all.
#include <multiprocessing/connection.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;

struct point {
    int x = 0;
    std::optional<std::string> name;
    friend bool operator==(const point&, const point&) = default;
};

TEST_CASE("connection: values of many types arrive as they were sent, in order") {
    const support::leftovers leftovers;
    auto [left, right] = mp::Pipe();
    left.send(1);
    left.send(std::string("text"));
    left.send(std::vector<double>{1.5, -2});
    left.send(std::map<std::string, std::vector<int>>{{"a", {1, 2}}});
    left.send(point{3, "three"});
    left.send(std::monostate());
    right.send(std::optional<int>());
    CHECK(right.recv<int>() == 1);
    CHECK(right.recv<std::string>() == "text");
    CHECK(right.recv<std::vector<double>>() == std::vector<double>{1.5, -2});
    CHECK(right.recv<std::map<std::string, std::vector<int>>>().at("a").size() == 2);
    CHECK(right.recv<point>() == point{3, "three"});
    right.recv<std::monostate>();
    CHECK(left.recv<std::optional<int>>() == std::nullopt);
}

// A class that can be shown as text, but is more.
struct named_number {
    std::string name;
    int number = 0;
    operator std::string_view() const { return name; }
};

TEST_CASE("connection: what converts to text is still sent as what it is") {
    auto [left, right] = mp::Pipe();
    left.send(named_number{"seven", 7});
    const auto received = right.recv<named_number>();
    CHECK(received.name == "seven");
    CHECK(received.number == 7);
}

TEST_CASE("connection: text is text, however it was written down") {
    auto [left, right] = mp::Pipe();
    const char* const pointer = "pointer";
    left.send("literal");
    left.send(pointer);
    left.send(std::string_view("view"));
    left.send(std::string("string"));
    left.send("");
    for (const char* const text : {"literal", "pointer", "view", "string", ""})
        CHECK(right.recv<std::string>() == text);
}

TEST_CASE("connection: another type than was sent is an error, and the next message comes") {
    auto [left, right] = mp::Pipe();
    left.send(1);
    left.send(std::vector<int>{1});
    left.send_bytes("raw");
    left.send_bytes("raw and longer");
    left.send_bytes("");
    left.send(2);
    CHECK_THROWS_AS(right.recv<unsigned>(), mp::PicklingError);
    CHECK_THROWS_WITH(right.recv<std::vector<unsigned>>(), support::contains("std::vector"));
    CHECK_THROWS_AS(right.recv<std::string>(), mp::PicklingError);
    CHECK_THROWS_AS(right.recv<std::string>(), mp::PicklingError);
    CHECK_THROWS_AS(right.recv<int>(), mp::PicklingError);
    CHECK(right.recv<int>() == 2);
}

TEST_CASE("connection: a value with bytes behind it, or cut short, is an error") {
    auto [left, right] = mp::Pipe();
    left.send(std::int64_t{1});
    std::vector<std::byte> message = right.recv_bytes();
    message.push_back(std::byte{0});
    left.send_bytes(message);
    message.resize(message.size() - 2);
    left.send_bytes(message);
    left.send(std::int64_t{2});
    CHECK_THROWS_AS(right.recv<std::int64_t>(), mp::PicklingError);
    CHECK_THROWS_AS(right.recv<std::int64_t>(), mp::PicklingError);
    CHECK(right.recv<std::int64_t>() == 2);
}

TEST_CASE("connection: 16 MiB pass both ways at the same time") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    auto [left, right] = mp::Pipe();
    const std::vector<std::uint64_t> large((16 << 20) / 8, 0x0123456789abcdef);
    std::thread there([&, end = left]() mutable { end.send(large); });
    std::thread back([&, end = right]() mutable { end.send(large); });
    std::thread first(
        [&, end = left]() mutable { CHECK(end.recv<std::vector<std::uint64_t>>() == large); });
    const bool same = right.recv<std::vector<std::uint64_t>>() == large;
    there.join();
    back.join();
    first.join();
    CHECK(same);
}

void mirror(mp::Connection end) {
    try {
        for (;;)
            end.send(end.recv<std::string>());
    } catch (const mp::EOFError&) {
    }
}

TEST_CASE("connection: a child answers until the parent closes its end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    auto [ours, theirs] = mp::Pipe();
    mp::Process child(
        [](mp::Connection end, mp::Connection other) {
            other.close();  // Under fork the parent's end came along.
            mirror(end);
        },
        mp::args(theirs, ours), {.start_method = method});
    child.start();
    theirs.close();
    for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 70'000U, 1'048'576U, 5'000'000U}) {
        ours.send(std::string(size, 'm'));
        CHECK(ours.recv<std::string>() == std::string(size, 'm'));
    }
    ours.close();
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
}

}  // namespace
