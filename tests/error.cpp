// SPDX-License-Identifier: MIT
#include <multiprocessing/error.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

#include <support/catch.hpp>

namespace mp = multiprocessing;

TEST_CASE("error: kinds of errors are caught where Python catches them") {
    STATIC_REQUIRE(std::is_base_of_v<mp::ProcessError, mp::TimeoutError>);
    STATIC_REQUIRE(std::is_base_of_v<mp::ProcessError, mp::AuthenticationError>);
    STATIC_REQUIRE(std::is_base_of_v<mp::ProcessError, mp::BufferTooShort>);
    STATIC_REQUIRE(std::is_base_of_v<mp::ProcessError, mp::WorkerLostError>);
    STATIC_REQUIRE(std::is_base_of_v<std::invalid_argument, mp::ValueError>);
    STATIC_REQUIRE(!std::is_base_of_v<mp::ProcessError, mp::Empty>);
}

TEST_CASE("error: a message that did not fit is kept whole") {
    const std::vector<std::byte> message(3, std::byte{7});
    const mp::BufferTooShort error(message);
    CHECK(error.message() == message);
    CHECK(error.what() == std::string("buffer too short for a message of 3 bytes"));
}

TEST_CASE("error: a remote error says which type was thrown and what it said") {
    const mp::RemoteError error("app::parse_error", "line 3");
    CHECK(error.type() == "app::parse_error");
    CHECK(error.text() == "line 3");
    CHECK(error.what() == std::string("app::parse_error: line 3"));
}

TEST_CASE("error: a lost worker is named") {
    const mp::WorkerLostError error("worker 7 was killed", {.pid = 7, .exitcode = -9});
    CHECK(error.pid() == 7);
    CHECK(error.exitcode() == -9);
}

TEST_CASE("error: a failure of the system names the operation") {
    const auto denied = std::make_error_code(std::errc::permission_denied);
    try {
        mp::detail::throw_if_error(denied, "attach shared memory 'weights'");
        FAIL("nothing was thrown");
    } catch (const std::system_error& error) {
        CHECK(error.code() == denied);
        CHECK(std::string(error.what()).starts_with("attach shared memory 'weights': "));
    }
    CHECK_NOTHROW(mp::detail::throw_if_error(std::error_code(), "nothing"));
}
