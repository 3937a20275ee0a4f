// SPDX-License-Identifier: MIT
// Messages of bytes: their frames, their bounds, and the two ways to receive them.
#include <multiprocessing/connection.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <fcntl.h>
#endif

namespace {

namespace mp = multiprocessing;
using bytes = std::vector<std::byte>;

bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}
std::string text_of(std::span<const std::byte> view) {
    return {reinterpret_cast<const char*>(view.data()), view.size()};
}

TEST_CASE("connection: bytes travel in CPython's frames") {
    auto [reader, writer] = mp::Pipe({.duplex = false});
    writer.send_bytes("");
    writer.send_bytes("hello");
    writer.send_bytes(std::string(600, 'x'));
    const std::string raw = support::read_exactly(reader.fileno(), 4 + 9 + 604);
    CHECK(raw.substr(0, 13) == std::string("\0\0\0\0\0\0\0\5hello", 13));
    CHECK(raw.substr(13, 5) == std::string("\0\0\2\x58x", 5));
    CHECK_FALSE(reader.poll());

    const char frames[] = "\0\0\0\3abc\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\2de";
    support::write_raw(writer.fileno(), {frames, sizeof frames - 1});
    CHECK(text_of(reader.recv_bytes()) == "abc");
    CHECK(reader.recv_bytes().empty());
    CHECK(text_of(reader.recv_bytes()) == "de");
}

TEST_CASE("connection: a part of a buffer is sent, and none that is not there") {
    auto [left, right] = mp::Pipe();
    const bytes all = bytes_of("abcdefghij");
    left.send_bytes(all, 3);
    left.send_bytes(all, 3, 4);
    left.send_bytes(all, 10);
    left.send_bytes(all, 0, 0);
    left.send_bytes(all, 9, 1);
    for (const char* const text : {"defghij", "defg", "", "", "j"})
        CHECK(text_of(right.recv_bytes()) == text);
    CHECK_THROWS_AS(left.send_bytes(all, 11), mp::ValueError);
    CHECK_THROWS_AS(left.send_bytes(all, 0, 11), mp::ValueError);
    CHECK_THROWS_AS(left.send_bytes(all, 5, 6), mp::ValueError);
    CHECK_THROWS_AS(left.send_bytes(all, 1, ~std::size_t{0}), mp::ValueError);
    CHECK_FALSE(right.poll());
}

TEST_CASE("connection: a message is received into a buffer, at an offset") {
    auto [left, right] = mp::Pipe();
    bytes buffer = bytes_of("..........");
    left.send_bytes("abc");
    CHECK(right.recv_bytes_into(buffer) == 3);
    CHECK(text_of(buffer) == "abc.......");
    left.send_bytes("xyz");
    CHECK(right.recv_bytes_into(buffer, 7) == 3);
    CHECK(text_of(buffer) == "abc....xyz");
    left.send_bytes("");
    CHECK(right.recv_bytes_into(buffer, 10) == 0);
    left.send_bytes("kept");
    CHECK_THROWS_AS(right.recv_bytes_into(buffer, 11), mp::ValueError);
    CHECK(text_of(right.recv_bytes()) == "kept");
}

TEST_CASE("connection: a message too long for the buffer comes with the error, and is gone") {
    auto [left, right] = mp::Pipe();
    const std::string large(40'000, 'l');
    bytes buffer(10);
    for (const std::string& text : {std::string("twelve bytes"), large}) {
        left.send_bytes(text);
        left.send_bytes("next");
        try {
            right.recv_bytes_into(buffer);
            FAIL("it fitted");
        } catch (const mp::BufferTooShort& error) {
            CHECK(text_of(error.message()) == text);
        }
        CHECK(text_of(buffer) == std::string(10, '\0'));
        CHECK(text_of(right.recv_bytes()) == "next");
    }
}

TEST_CASE("connection: beyond maxlength nothing more can be received") {
    const support::leftovers leftovers;
    auto [left, right] = mp::Pipe();
    left.send_bytes("1234");
    left.send_bytes("12345");
    left.send_bytes("12");
    CHECK(text_of(right.recv_bytes(4)) == "1234");
    try {
        right.recv_bytes(4);
        FAIL("it was received");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::message_size);
    }
    CHECK_FALSE(right.readable());
    CHECK(right.writable());
    CHECK_THROWS_AS(right.recv_bytes(), mp::ValueError);
    right.send_bytes("still");
    CHECK(text_of(left.recv_bytes()) == "still");

    auto [reader, writer] = mp::Pipe({.duplex = false});
    writer.send_bytes("12345");
    CHECK_THROWS_AS(reader.recv_bytes(0), std::system_error);
    CHECK(reader.closed());
}

#if defined(MULTIPROCESSING_POSIX)
/// Whether the system lets the user's pipes hold so much more.
bool may_have(int room) {
    auto [probe, other] = mp::Pipe();
    return ::fcntl(probe.fileno(), F_SETPIPE_SZ, room) != -1;
}

TEST_CASE("connection: a large message finds room for it in the pipe, if the user may have more") {
    auto [left, right] = mp::Pipe();
    const bytes large(200'000, std::byte{7});
    const int before = ::fcntl(right.fileno(), F_GETPIPE_SZ);
    left.send_bytes(bytes(1'000));
    CHECK(right.recv_bytes().size() == 1'000);
    CHECK(::fcntl(right.fileno(), F_GETPIPE_SZ) == before);
    if (!may_have(256 * 1024))
        return;
    left.send_bytes(large);  // Nobody reads meanwhile.
    CHECK(right.recv_bytes() == large);
    CHECK(::fcntl(right.fileno(), F_GETPIPE_SZ) >= 256 * 1024);
}

TEST_CASE("connection: a pipe that its user has made larger stays as large") {
    auto [left, right] = mp::Pipe();
    if (!may_have(512 * 1024))
        return;
    REQUIRE(::fcntl(right.fileno(), F_SETPIPE_SZ, 512 * 1024) != -1);
    left.send_bytes(bytes(100'000));
    CHECK(right.recv_bytes().size() == 100'000);
    CHECK(::fcntl(right.fileno(), F_GETPIPE_SZ) == 512 * 1024);
}
#endif

}  // namespace
