// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/arguments.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "support/catch.hpp"

namespace mp = multiprocessing;
using namespace multiprocessing::detail;

namespace {

struct like_text {
    operator std::string_view() const { return "text"; }
};

}  // namespace

TEST_CASE("args: text is copied into strings, everything else keeps its type") {
    char buffer[] = "buffer";
    const std::string_view view = buffer;
    auto copy = mp::args("literal", view, buffer, std::string("s"), 1, 2.5, nullptr, like_text{});
    static_assert(std::is_same_v<decltype(copy),
                                 std::tuple<std::string, std::string, std::string, std::string, int,
                                            double, std::nullptr_t, like_text>>);
    buffer[0] = '?';
    CHECK(std::get<0>(copy) == "literal");
    CHECK(std::get<1>(copy) == "buffer");
    CHECK(std::get<2>(copy) == "buffer");
}

// A span became one of elements that may not be changed: no thread, and no child that shares the
// memory, could be given a place to write to.
TEST_CASE("args: a span stays the span that it is") {
    int numbers[] = {1, 2, 3};
    auto tuple = mp::args(std::span(numbers).first(2), std::span(numbers));
    static_assert(std::is_same_v<decltype(tuple), std::tuple<std::span<int>, std::span<int, 3>>>);
    const auto target = [](std::span<int> some, std::span<int, 3> all) {
        some.front() = 4;
        all.back() = 5;
    };
    call_with(target, tuple);
    CHECK(numbers[0] == 4);
    CHECK(numbers[2] == 5);
}

TEST_CASE("args: what cannot be copied is moved in, and into the call") {
    auto tuple = mp::args(std::make_unique<int>(3));
    const auto target = [](std::unique_ptr<int> value) { return *value; };
    static_assert(callable_with<decltype(target), decltype(tuple)>);
    CHECK(call_with(target, tuple) == 3);
}

TEST_CASE("args: a parameter that is a reference is lent the argument") {
    auto tuple = mp::args(std::string("a"));
    auto target = [](std::string& text) { text += "b"; };
    call_with(target, tuple);
    CHECK(std::get<0>(tuple) == "ab");
}

TEST_CASE("args: a target that does not take the arguments is no target") {
    static_assert(!callable_with<void (*)(int), std::tuple<std::string>>);
    static_assert(!callable_with<void (*)(), std::tuple<int>>);
    static_assert(callable_with<void (*)(const std::string&, int), std::tuple<std::string, int>>);
    CHECK(first_unsendable<int, std::string>().empty());
    CHECK(first_unsendable<int, int*>().substr(0, 3) == "int");
}
