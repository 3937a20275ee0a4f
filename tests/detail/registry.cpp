// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/callable.hpp>

#include <optional>
#include <string>

#include "support/catch.hpp"
#include "support/messages.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <unistd.h>
#else
#include "support/windows/library.hpp"
#endif

using namespace multiprocessing::detail;
using multiprocessing::PicklingError;
using support::contains;
using support::message_of;

namespace {

int first(int value) {
    return value + 1;
}
int second(int value) {
    return value + 2;
}
void a_thunk() {}
void no_thunk() {}
int named_function() {
    return 5;
}

}  // namespace

MULTIPROCESSING_REGISTER(named_function);

TEST_CASE("registry: a thunk is found by its place, another function is not") {
    const code_address thunk = thunk_entry<&a_thunk>::address();
    CHECK(thunk_at(place_of_thunk(thunk)) == thunk);
    CHECK_FALSE(registry::instance().contains(address_of(&no_thunk)));
    CHECK(
        contains(message_of<PicklingError>([] { thunk_at(place_of_thunk(address_of(&no_thunk))); }),
                 "not in this program's registry"));
}

TEST_CASE("registry: a thunk is known for as long as its entry lives") {
    {
        const registered_thunk entry(address_of(&no_thunk));
        CHECK(registry::instance().contains(address_of(&no_thunk)));
    }
    CHECK_FALSE(registry::instance().contains(address_of(&no_thunk)));
}

TEST_CASE("registry: function pointers cross by their place, and null does not") {
    int (*pointer)(int) = &first;
    const auto bytes = encode(pointer);
    decoder in(bytes);
    CHECK(in.read<int (*)(int)>()(1) == 2);
    pointer = nullptr;
    CHECK_THROWS_AS(encode(pointer), PicklingError);
    int on_the_stack = 0;
    CHECK_THROWS_AS(refer_to(&on_the_stack), PicklingError);
}

TEST_CASE("registry: a registered function crosses by its name") {
    const auto reference = refer_to(address_of(&named_function));
    CHECK(reference.name == "named_function");
    CHECK(find_function({"named_function", 0, 0}) == address_of(&named_function));
    CHECK(contains(message_of<PicklingError>([] {
                       find_function({"nobody", 0, 0});
                   }),
                   "no function is registered here under the name 'nobody'"));
}

TEST_CASE("registry: a name that two functions have is nobody's") {
    // The first of them was called, whichever was meant.
    std::optional<registered_name> one(std::in_place, "same", address_of(&first));
    CHECK(registry::instance().name_of(address_of(&first)) == "same");
    {
        const registered_name two("same", address_of(&second));
        CHECK(registry::instance().function_of("same") == nullptr);
        CHECK(registry::instance().name_of(address_of(&first)).empty());
        CHECK(refer_to(address_of(&second)).name.empty());
    }
    CHECK(registry::instance().function_of("same") == address_of(&first));
    {
        const registered_name again("same", address_of(&first));
        CHECK(registry::instance().function_of("same") == address_of(&first));
    }
    CHECK(registry::instance().function_of("same") == address_of(&first));
    one.reset();
    CHECK(registry::instance().function_of("same") == nullptr);
}

TEST_CASE("registry: places outside of the code of this build are refused") {
    image_place place;
    REQUIRE(locate_code(address_of(&first), place));
    CHECK(resolve_code(place) == address_of(&first));
    CHECK(find_function({"", place.image, place.offset}) == address_of(&first));
    CHECK(resolve_code({place.image + 1, place.offset}) == nullptr);
    CHECK(resolve_code({place.image, 0}) == nullptr);
    CHECK(resolve_code({place.image, ~std::uint64_t{0}}) == nullptr);
    static int data = 0;
    CHECK_FALSE(locate_code(&data, place));
    CHECK_THROWS_AS(find_function({"", 1, 2}), PicklingError);
}

TEST_CASE("image: a function of a shared library has its own image") {
    image_place here;
    image_place library;
    REQUIRE(locate_code(address_of(&first), here));
    // Not one of those that sanitizers replace by their own.
#if defined(MULTIPROCESSING_POSIX)
    const auto function = address_of(&::getppid);
#else
    const auto function = support::function_of_a_library();
#endif
    REQUIRE(locate_code(function, library));
    CHECK(here.image != library.image);
    CHECK(here.image == program_fingerprint());
    CHECK(resolve_code(library) == function);
}
