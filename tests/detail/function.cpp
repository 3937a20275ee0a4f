// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/function.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "support/catch.hpp"

namespace {

using multiprocessing::detail::function;

int twice(int x) {
    return 2 * x;
}

TEST_CASE("function: it holds whatever can be called, and returns what that returns") {
    CHECK(function<int(int)>(twice)(4) == 8);
    CHECK(function<long(int)>([by = 3](int x) { return by * x; })(4) == 12);
    CHECK(function<int(int)>(std::function<int(int)>(twice))(4) == 8);
    const function<std::size_t(std::unique_ptr<std::string>)> size(
        [](std::unique_ptr<std::string> text) { return text->size(); });
    CHECK(size(std::make_unique<std::string>("four")) == 4);
    int calls = 0;
    function<void()>([&] { return ++calls; })();
    CHECK(calls == 1);
}

TEST_CASE("function: it may be empty, and is where what it was made of is") {
    CHECK_FALSE(function<void()>());
    CHECK_FALSE(function<void()>(nullptr));
    CHECK_FALSE(function<void()>(std::function<void()>()));
    CHECK_FALSE(function<int(int)>(static_cast<int (*)(int)>(nullptr)));
    CHECK(function<int(int)>(twice));
}

TEST_CASE("function: copies share what they hold, which need not be copyable") {
    const auto watched = std::make_shared<int>(0);
    {
        const function<int()> one(
            [held = std::make_unique<std::shared_ptr<int>>(watched)] { return ++**held; });
        const function<int()> other(one);
        CHECK(one() == 1);
        CHECK(other() == 2);
        CHECK(watched.use_count() == 2);
    }
    CHECK(watched.use_count() == 1);
}

}  // namespace
