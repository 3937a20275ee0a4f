// SPDX-License-Identifier: MIT
// Streams that end where they must not, and lengths that nobody has the bytes for.
#include <multiprocessing/connection.hpp>

#include <string>
#include <system_error>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/mappings.hpp"

namespace {

namespace mp = multiprocessing;

/// What receiving says of a stream that is these bytes and ends then.
std::error_code error_of(const std::string& stream) {
    auto [reader, writer] = mp::Pipe({.duplex = false});
    support::write_raw(writer.fileno(), stream);
    writer.close();
    try {
        reader.recv_bytes();
    } catch (const std::system_error& error) {
        return error.code();
    }
    FAIL("a message was received");
    return {};
}

TEST_CASE("connection: an end of file within a message is an error of its own") {
    const support::leftovers leftovers;
    const std::string whole("\0\0\0\5hello", 9);
    for (std::size_t length = 1; length < whole.size(); ++length)
        CHECK(error_of(whole.substr(0, length)) == std::errc::bad_message);
    const std::string large("\xff\xff\xff\xff\0\0\0\0\0\0\0\5hello", 17);
    for (std::size_t length = 4; length < large.size(); ++length)
        CHECK(error_of(large.substr(0, length)) == std::errc::bad_message);
    auto [reader, writer] = mp::Pipe({.duplex = false});
    writer.send_bytes("last");
    writer.close();
    CHECK(reader.recv_bytes().size() == 4);
    CHECK_THROWS_AS(reader.recv_bytes(), mp::EOFError);
    CHECK_THROWS_AS(reader.recv<int>(), mp::EOFError);
}

TEST_CASE("connection: a negative length is an error") {
    CHECK(error_of(std::string("\x80\0\0\0", 4)) == std::errc::bad_message);
    CHECK(error_of("\xff\xff\xff\xfe") == std::errc::bad_message);
    CHECK(error_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff") == std::errc::bad_message);
    CHECK(error_of(std::string("\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12)) ==
          std::errc::bad_message);
}

TEST_CASE("connection: a length alone, however large, takes no memory") {
    const auto before = support::peak_bytes();
    CHECK(error_of(std::string("\x7f\xff\xff\xff", 4)) == std::errc::bad_message);
    CHECK(error_of(std::string("\xff\xff\xff\xff\0\0\0\0\x80\0\0\0some", 16)) ==
          std::errc::bad_message);
    CHECK(error_of(std::string("\xff\xff\xff\xff\x3f\xff\xff\xff\xff\xff\xff\xff", 12)) ==
          std::errc::bad_message);
    CHECK(support::peak_bytes() - before < 64 << 20);
}

}  // namespace
