// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/remote_exception.hpp>

#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "support/catch.hpp"

namespace mp = multiprocessing;
using mp::detail::exception_record;

namespace {

template <class E>
exception_record record_of(const E& error) {
    try {
        throw error;
    } catch (...) {
        return mp::detail::record_current_exception();
    }
}

/// Its record, as bytes and back, thrown again.
template <class E>
[[noreturn]] void send(const E& error) {
    const auto bytes = mp::detail::encode(record_of(error));
    std::rethrow_exception(mp::detail::exception_from(mp::detail::decode<exception_record>(bytes)));
}

struct own_error : std::out_of_range {
    using std::out_of_range::out_of_range;
};

}  // namespace

TEST_CASE("remote exception: a record names the type and has the text") {
    const auto record = record_of(std::out_of_range("too far"));
    CHECK(record.type == "std::out_of_range");
    CHECK(record.text == "too far");
    CHECK(record_of(42).type == "int");
}

TEST_CASE("remote exception: a type derived from a standard one is not taken for it") {
    CHECK_THROWS_AS(send(own_error("x")), mp::RemoteError);
    CHECK_THROWS_AS(send(mp::ValueError("x")), mp::ValueError);
    CHECK_THROWS_AS(send(std::invalid_argument("x")), std::invalid_argument);
    CHECK_THROWS_AS(send(std::bad_function_call()), std::bad_function_call);
}

TEST_CASE("remote exception: a system error can be sent on, its text does not grow") {
    std::string text = std::system_error(2, std::system_category(), "open").what();
    std::system_error error(2, std::system_category(), "open");
    for (int hop = 0; hop < 3; ++hop) {
        try {
            send(error);
        } catch (const std::system_error& received) {
            CHECK(received.what() == text);
            CHECK(received.code() == error.code());
        }
    }
}

TEST_CASE("remote exception: a category is itself, or stands for itself alone") {
    using mp::detail::category_named;
    CHECK(category_named("system") == std::system_category());
    CHECK(category_named("generic") == std::generic_category());
    CHECK(category_named("iostream") == std::iostream_category());
    CHECK(category_named("mine") == category_named("mine"));
    CHECK(category_named("mine") != category_named("yours"));
    CHECK(category_named("mine").name() == std::string("mine"));
    CHECK(category_named("mine").message(7) == "error 7 of mine");
}

TEST_CASE("remote exception: a record from nowhere becomes a RemoteError") {
    CHECK_THROWS_AS(std::rethrow_exception(mp::detail::exception_from({"", "", "", 0})),
                    mp::RemoteError);
    CHECK_THROWS_AS(
        std::rethrow_exception(mp::detail::exception_from({"std::nothing", "x", "", 0})),
        mp::RemoteError);
}
