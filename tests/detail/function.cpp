// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/function.hpp>

#include <cstddef>
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

struct counter {
    int count = 0;
    int add(int n) { return count += n; }
    int twice() const { return 2 * count; }
};

// A pointer to a member was taken, and then did not compile.
TEST_CASE("function: pointers to members are called with the object first") {
    counter one;
    CHECK(function<int(counter&, int)>(&counter::add)(one, 3) == 3);
    CHECK(function<int(counter*, int)>(&counter::add)(&one, 3) == 6);
    CHECK(function<int(const counter&)>(&counter::twice)(one) == 12);
    CHECK(function<int(const counter&)>(&counter::count)(one) == 6);
    const function<void(const counter&)> forgets(&counter::twice);
    forgets(one);
    CHECK_FALSE(function<int(counter&, int)>(static_cast<int (counter::*)(int)>(nullptr)));
}

/// As the placeholders of lambda libraries: what is compared with it becomes a callable, too.
struct placeholder {
    int operator()(int x) const { return x; }
    placeholder operator==(std::nullptr_t) const { return {}; }
};

TEST_CASE("function: a callable may have an opinion of its own on null") {
    CHECK(function<int(int)>(placeholder())(4) == 4);
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
