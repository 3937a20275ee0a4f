// SPDX-License-Identifier: MIT
// A queue handed to a process: alone, in company, inside other values, and on to its children.
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/connection.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using numbers = mp::Queue<int>;

std::string any_method() {
    return GENERATE(from_range(mp::detail::all_start_methods()));
}

void run(mp::Process child) {
    child.start();
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
}

void move_one(numbers from, numbers to) {
    to.put(from.get(true, 30s));
}

TEST_CASE("queue: copies of it are the same queue, here and in the child") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    numbers queue;
    const numbers copy = queue;
    queue.put(1);
    run({move_one, mp::args(copy, queue), {.start_method = any_method()}});
    CHECK(queue.get() == 1);
    CHECK(queue.empty());
}

void move_two_ways(numbers a, numbers b, numbers c, numbers d) {
    a.put(c.get(true, 30s));
    d.put(b.get(true, 30s));
}

TEST_CASE("queue: the same one may be several arguments, between others") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    numbers one;
    numbers two;
    two.put(2);
    one.put(1);
    run({move_two_ways, mp::args(one, one, two, two), {.start_method = any_method()}});
    // 2 went from two to one behind 1, which then went to two.
    CHECK(one.get() == 2);
    CHECK(two.get() == 1);
}

struct office {
    std::string name;
    numbers inbox;
    std::optional<numbers> outbox;
    std::vector<numbers> others;
    std::map<std::string, std::pair<int, numbers>> named;
};

void serve(std::vector<office> offices, std::shared_ptr<numbers> last) {
    for (office& each : offices) {
        const int value = each.inbox.get(true, 30s);
        if (each.outbox)
            each.outbox->put(value);
        for (numbers& other : each.others)
            other.put(value);
        for (auto& [name, entry] : each.named)
            entry.second.put(value + entry.first);
        last->put(value);
    }
}

TEST_CASE("queue: it may be nested in any value that can cross") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    numbers in;
    numbers a;
    numbers b;
    numbers c;
    auto last = std::make_shared<numbers>();
    const std::vector<office> offices{{"first", in, std::nullopt, {}, {}},
                                      {"second", in, a, {a, b}, {{"c", {10, c}}, {"in", {5, in}}}}};
    in.put(1);
    in.put(2);
    run({serve, mp::args(offices, last), {.start_method = any_method()}});
    CHECK(a.get() == 2);
    CHECK(a.get() == 2);
    CHECK(b.get() == 2);
    CHECK(c.get() == 12);
    CHECK(in.get() == 7);
    CHECK(last->get() == 1);
    CHECK(last->get() == 2);
    CHECK(a.empty());
}

void hand_on(numbers from, numbers to, std::string method, int generations) {
    if (generations == 0)
        return move_one(from, to);
    mp::Process child(hand_on, mp::args(from, to, method, generations - 1),
                      {.start_method = method});
    child.start();
    child.join();
    if (child.exitcode() != 0)
        throw mp::ProcessError("a descendant failed");
}

TEST_CASE("queue: a child hands it on to its own children, by any start method") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string first = any_method();
    const std::string further = any_method();
    numbers from(5);
    numbers to;
    from.put(77);
    run({hand_on, mp::args(from, to, further, 2), {.start_method = first}});
    CHECK(to.get() == 77);
}

void check_bound(numbers queue, numbers answer) {
    answer.put(queue.full() && queue.qsize() == 2 ? 1 : 0);
    try {
        queue.put_nowait(3);
    } catch (const mp::Full&) {
        answer.put(1);
    }
}

TEST_CASE("queue: the child sees what waits in it, and its bound") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    numbers queue(2);
    numbers answer;
    queue.put(1);
    queue.put(2);
    run({check_bound, mp::args(queue, answer), {.start_method = any_method()}});
    CHECK(answer.get(true, 30s) == 1);
    CHECK(answer.get(true, 30s) == 1);
}

TEST_CASE("queue: through a queue or a pipe it cannot go, and the error says why") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string reason =
        "queue can only be handed to a process when it is started, as one of "
        "its arguments";
    mp::Queue<numbers> queues(1);
    CHECK_THROWS_AS(queues.put(numbers()), mp::PicklingError);
    CHECK_THROWS_WITH(queues.put(numbers()), support::contains(reason));
    CHECK(queues.empty());
    mp::Queue<std::vector<std::optional<numbers>>> nested;
    CHECK_THROWS_WITH(nested.put({std::nullopt, numbers()}), support::contains(reason));
    nested.put({std::nullopt});
    CHECK(nested.get().size() == 1);
    auto [left, right] = mp::Pipe();
    CHECK_THROWS_WITH(left.send(numbers()), support::contains(reason));
    left.send(5);
    CHECK(right.recv<int>() == 5);
}

}  // namespace
