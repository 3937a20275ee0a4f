// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/throw_stack.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <string>
#include <thread>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/throw_below.hpp"

namespace detail = multiprocessing::detail;
using support::stack_of;
using support::stack_texts;
using support::throw_below;

namespace {

/// How many of the frames are the one that is there most often.
std::ptrdiff_t most_alike(const stack_texts& stack) {
    std::ptrdiff_t most = 0;
    for (const std::string& frame : stack)
        most = std::max(most, std::count(stack.begin(), stack.end(), frame));
    return most;
}

}  // namespace

TEST_CASE("throw stack: it has one frame for each call between") {
    const auto flat = stack_of([] { throw_below(0); });
    const auto deep = stack_of([] { throw_below(20); });
    REQUIRE_FALSE(flat.empty());
    CHECK(deep.size() == flat.size() + 20);
    CHECK(most_alike(deep) >= 19);
    for (const std::string& frame : deep)
        CHECK_THAT(frame, support::contains("(+0x"));
}

TEST_CASE("throw stack: the innermost 64 frames are kept") {
    const auto stack = stack_of([] { throw_below(1000); });
    CHECK(stack.size() <= 64);
    CHECK(most_alike(stack) >= 40);
}

TEST_CASE("throw stack: what is caught within is not told") {
    detail::watch_throws([] {
        try {
            throw_below(9);
        } catch (const std::exception&) {
        }
    });
    CHECK(detail::stack_of_throw().empty());
}

TEST_CASE("throw stack: what is thrown on is told from there") {
    const auto first = stack_of([] { throw_below(3); });
    const auto again = stack_of([] {
        try {
            throw_below(9);
        } catch (const std::exception&) {
            throw;
        }
    });
    CHECK_FALSE(again.empty());
    CHECK(again.size() < first.size());
    const auto kept = stack_of([] { std::rethrow_exception(std::make_exception_ptr(7)); });
    CHECK_FALSE(kept.empty());
    CHECK(kept.size() < first.size());
}

TEST_CASE("throw stack: each thread has its own") {
    const auto first = stack_of([] { throw_below(3); });
    REQUIRE_FALSE(first.empty());
    std::thread([] {
        CHECK(detail::stack_of_throw().empty());
        CHECK(stack_of([] { throw_below(9); }).size() > 9);
    }).join();
    REQUIRE(detail::stack_of_throw().size() >= first.size());
    CHECK(detail::stack_of_throw().front() == first.front());
}
