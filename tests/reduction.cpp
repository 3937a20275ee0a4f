// SPDX-License-Identifier: MIT
#include <multiprocessing/reduction.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"

using namespace multiprocessing::detail;
using multiprocessing::PicklingError;
using support::contains;
using support::message_of;

TEST_CASE("reduction: the same handle twice in a message is one place, and two on arrival") {
    const support::leftovers check;
    const handle original = support::open_something();
    const handle_outbox outbox;
    CHECK(handle_outbox::put(original.get(), "thing") == 0);
    CHECK(handle_outbox::put(original.get(), "thing") == 0);
    CHECK(handle_outbox::put(99, "thing") == 1);
    CHECK(outbox.handles() == std::vector<native_handle>{original.get(), 99});
    handle copy;
    REQUIRE_FALSE(duplicate(original.get(), copy));
    std::vector<handle> arrived;
    arrived.push_back(std::move(copy));
    const handle_inbox inbox(std::move(arrived));
    const handle first = handle_inbox::take(0);
    const handle second = handle_inbox::take(0);
    CHECK(first);
    CHECK(second);
    CHECK(first.get() != second.get());
}

TEST_CASE("reduction: a handle crosses only when a process is started") {
    const handle original = support::open_something();
    CHECK(contains(message_of<PicklingError>([&] { encode(original); }),
                   "can only be handed to a process when it is started"));
}

TEST_CASE("reduction: a handle that did not come with the message is refused") {
    const handle_inbox inbox({});
    CHECK(contains(message_of<PicklingError>([] { handle_inbox::take(0); }), "names handle 0"));
}

TEST_CASE("reduction: a message within a message has its own handles") {
    const handle_outbox outer;
    handle_outbox::put(7, "thing");
    {
        const handle_outbox inner;
        CHECK(handle_outbox::put(8, "thing") == 0);
    }
    CHECK(handle_outbox::put(9, "thing") == 1);
    CHECK(outer.handles() == std::vector<native_handle>{7, 9});
}
