// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/remote_exception.hpp>

#include <any>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

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

/// What arrives when it has been sent on again and again.
template <class E>
std::exception_ptr after_hops(const E& error, int hops) {
    std::exception_ptr current = std::make_exception_ptr(error);
    for (; hops > 0; --hops)
        try {
            std::rethrow_exception(current);
        } catch (...) {
            const auto bytes = mp::detail::encode(mp::detail::record_current_exception());
            current = mp::detail::exception_from(mp::detail::decode<exception_record>(bytes));
        }
    return current;
}

template <class E>
void check_hops(const E& error) {
    INFO(typeid(E).name());
    for (const int hops : {1, 2, 3})
        try {
            std::rethrow_exception(after_hops(error, hops));
        } catch (const std::exception& arrived) {
            CHECK(dynamic_cast<const E*>(&arrived) != nullptr);
            CHECK(dynamic_cast<const mp::RemoteError*>(&arrived) == nullptr);
            CHECK(arrived.what() == std::string(error.what()));
        }
}

struct own_error : std::out_of_range {
    using std::out_of_range::out_of_range;
};

struct own_loss : mp::WorkerLostError {
    own_loss() : WorkerLostError("lost", {}) {}
};

bool was_called = false;
std::exception_ptr read_no_exception(mp::detail::decoder&) {
    was_called = true;
    return nullptr;
}

}  // namespace

TEST_CASE("remote exception: a record names the type and has the text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto record = record_of(std::out_of_range("too far"));
    CHECK(record.type == "std::out_of_range");
    CHECK(record.text == "too far");
    CHECK(record_of(42).type == "int");
}

TEST_CASE("remote exception: a type derived from a standard one is not taken for it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    CHECK_THROWS_AS(send(own_error("x")), mp::RemoteError);
    CHECK_THROWS_AS(send(mp::ValueError("x")), mp::ValueError);
    CHECK_THROWS_AS(send(std::invalid_argument("x")), std::invalid_argument);
    CHECK_THROWS_AS(send(std::bad_function_call()), std::bad_function_call);
}

TEST_CASE("remote exception: a system error can be sent on, its text does not grow") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
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
    const support::leftovers leftovers;
    const support::watchdog watchdog;
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
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    CHECK_THROWS_AS(std::rethrow_exception(mp::detail::exception_from({"", "", "", 0})),
                    mp::RemoteError);
    CHECK_THROWS_AS(
        std::rethrow_exception(mp::detail::exception_from({"std::nothing", "x", "", 0})),
        mp::RemoteError);
}

TEST_CASE("remote exception: a record that names a thunk of another kind does not have it called") {
    const auto place =
        mp::detail::place_of_thunk(mp::detail::thunk_entry<&read_no_exception>::address());
    mp::detail::exception_record record{"some_error", "x", "", 0};
    record.image = place.image;
    record.offset = place.offset;
    CHECK_THROWS_AS(std::rethrow_exception(mp::detail::exception_from(record)), mp::RemoteError);
    CHECK_FALSE(was_called);
}

// The type that stands for it here was recorded under its own name, which no table knows.
TEST_CASE("remote exception: a standard exception without a text can be sent on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    check_hops(std::exception());
    check_hops(std::bad_alloc());
    check_hops(std::bad_array_new_length());
    check_hops(std::bad_cast());
    check_hops(std::bad_any_cast());
    check_hops(std::bad_typeid());
    check_hops(std::bad_exception());
    check_hops(std::bad_function_call());
    check_hops(std::bad_optional_access());
    check_hops(std::bad_variant_access());
    check_hops(std::bad_weak_ptr());
}

TEST_CASE("remote exception: the library's exceptions can be sent on with all that they hold") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    check_hops(mp::CancelledError());
    check_hops(mp::WorkerLostError("worker 7 was lost", {}));
    check_hops(mp::BufferTooShort(std::vector<std::byte>(10)));
    check_hops(mp::InitializerError(std::make_exception_ptr(std::out_of_range("too far"))));
    const mp::WorkerLostError lost("lost", {7, -9, "SIGKILL", "f", true, "last\nwords"});
    try {
        std::rethrow_exception(after_hops(lost, 2));
    } catch (const mp::WorkerLostError& arrived) {
        CHECK(arrived.pid() == 7);
        CHECK(arrived.exitcode() == -9);
        CHECK(arrived.signal() == "SIGKILL");
        CHECK(arrived.task() == "f");
        CHECK(arrived.out_of_memory());
        CHECK(arrived.last_words() == "last\nwords");
    }
    try {
        std::rethrow_exception(after_hops(mp::BufferTooShort({std::byte{1}, std::byte{2}}), 2));
    } catch (const mp::BufferTooShort& arrived) {
        CHECK(arrived.message() == std::vector<std::byte>{std::byte{1}, std::byte{2}});
    }
    const auto cause = std::make_exception_ptr(std::out_of_range("too far"));
    try {
        std::rethrow_exception(after_hops(mp::InitializerError(cause), 2));
    } catch (const mp::InitializerError& arrived) {
        CHECK_THROWS_AS(std::rethrow_exception(arrived.cause()), std::out_of_range);
    }
}

TEST_CASE("remote exception: a cause within a cause is a text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto inner = std::make_exception_ptr(
        mp::InitializerError(std::make_exception_ptr(std::out_of_range("too far"))));
    check_hops(mp::InitializerError(inner));
    try {
        std::rethrow_exception(after_hops(mp::InitializerError(inner), 1));
    } catch (const mp::InitializerError& arrived) {
        CHECK_THROWS_AS(std::rethrow_exception(arrived.cause()), mp::ProcessError);
    }
}

TEST_CASE("remote exception: values that are cut short or too long are refused") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (exception_record record :
         {record_of(mp::WorkerLostError("lost", {7, -9, "SIGKILL", "f", true, "words"})),
          record_of(mp::InitializerError(std::make_exception_ptr(std::out_of_range("x"))))}) {
        record.values.push_back(std::byte{});
        CHECK_THROWS_AS(mp::detail::exception_from(record), mp::PicklingError);
        for (record.values.pop_back(); !record.values.empty();) {
            record.values.pop_back();
            CHECK_THROWS_AS(mp::detail::exception_from(record), mp::PicklingError);
        }
    }
}

TEST_CASE("remote exception: a type derived from one of the library's is not taken for it") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    CHECK_THROWS_AS(send(own_loss()), mp::RemoteError);
}
