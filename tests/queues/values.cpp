// SPDX-License-Identifier: MIT
// What a queue carries: small and large, of many types, and what it refuses.
#include <multiprocessing/queues.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;

struct reading {
    int id = 0;
    std::string name;
    std::optional<double> value;
    std::vector<std::pair<int, std::string>> notes;
    friend bool operator==(const reading&, const reading&) = default;
};

/// Takes values and puts each back.
template <class T>
void mirror(mp::Queue<T> there, mp::Queue<T> back, int count) {
    for (int i = 0; i < count; ++i)
        back.put(there.get(true, 30s));
}

template <class T>
void check_mirrored(const std::string& method, const std::vector<T>& values) {
    mp::Queue<T> there;
    mp::Queue<T> back;
    mp::Process child(mirror<T>, mp::args(there, back, static_cast<int>(values.size())),
                      {.start_method = method});
    child.start();
    for (const T& value : values)
        there.put(value);
    for (const T& value : values)
        CHECK(back.get(true, 30s) == value);
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
}

TEST_CASE("queue: values of any type that can cross come back as they were") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    check_mirrored<int>(method, {0, -1, 2'000'000'000});
    check_mirrored<bool>(method, {true, false});
    check_mirrored<double>(method, {0.0, -1.5, 1e300});
    check_mirrored<std::string>(method, {"", "short", std::string(100'000, 'x'), {"\0a\0", 3}});
    check_mirrored<std::vector<std::string>>(method, {{}, {"a"}, {"", "b", "c"}});
    check_mirrored<std::map<std::string, int>>(method, {{}, {{"a", 1}, {"b", 2}}});
    check_mirrored<std::optional<int>>(method, {std::nullopt, 3});
    check_mirrored<std::variant<int, std::string>>(method, {1, "one"});
    check_mirrored<reading>(method, {{}, {7, "seven", 0.7, {{1, "a"}, {2, "b"}}}});
    check_mirrored<std::chrono::milliseconds>(method, {1ms, -1ms});
}

TEST_CASE("queue: messages without a byte are counted like others") {
    struct nothing {};
    mp::Queue<nothing> queue(3);
    for (int i = 0; i < 10'000; ++i) {
        queue.put({});
        queue.put({});
        queue.put({});
        REQUIRE_THROWS_AS(queue.put_nowait({}), mp::Full);
        queue.get();
        queue.get();
        queue.get();
        REQUIRE_THROWS_AS(queue.get_nowait(), mp::Empty);
    }
}

TEST_CASE("queue: values of 8 MiB pass between small ones") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    std::vector<std::vector<std::uint64_t>> values;
    for (std::uint64_t i = 0; i < 6; ++i) {
        values.push_back({i});
        values.emplace_back((8 << 20) / sizeof(std::uint64_t), i);
    }
    check_mirrored(method, values);
}

TEST_CASE("queue: a value can be moved only, and is taken as it was") {
    mp::Queue<std::unique_ptr<int>> queue;
    queue.put(std::make_unique<int>(5));
    queue.put(nullptr);
    CHECK(*queue.get() == 5);
    CHECK(queue.get() == nullptr);
}

struct moody {
    int mood = 0;  // 1: throws when it is written, 2: when it is read
    std::string ballast;
    template <class Archive>
    void serialize(Archive& archive) {
        archive(mood, ballast);
        if (mood == (Archive::is_loading::value ? 2 : 1))
            throw std::runtime_error("not today");
    }
};

TEST_CASE("queue: a value that cannot be written is not put, and the caller is told") {
    mp::Queue<moody> queue(2);
    for (const std::size_t size : {10U, 100'000U, 5'000'000U}) {
        queue.put({0, "before"});
        for (int i = 0; i < 20; ++i)
            CHECK_THROWS_WITH(queue.put({1, std::string(size, 'x')}), "not today");
        queue.put({0, "after"});
        CHECK(queue.full());
        CHECK(queue.get().ballast == "before");
        CHECK(queue.get().ballast == "after");
        CHECK(queue.empty());
    }
}

TEST_CASE("queue: a value that cannot be read is gone, and the next one comes") {
    mp::Queue<moody> queue;
    for (const std::size_t size : {10U, 5'000U, 5'000'000U}) {
        queue.put({2, std::string(size, 'x')});
        queue.put({0, "next"});
        CHECK_THROWS_WITH(queue.get(), "not today");
        CHECK(queue.get().ballast == "next");
        CHECK(queue.empty());
    }
}

struct recursive {
    static inline mp::Queue<recursive>* queue = nullptr;
    static inline int depth = 0;
    int number = 0;
    template <class Archive>
    void serialize(Archive& archive) {
        archive(number);
        if (std::is_same_v<Archive, mp::detail::writing_archive> && ++depth == 1)
            queue->put({2});
    }
};

TEST_CASE("queue: a put within a put of the same queue is an error, not a wait for itself") {
    const support::watchdog watchdog;
    mp::Queue<recursive> queue;
    recursive::queue = &queue;
    recursive::depth = 0;
    CHECK_THROWS_AS(queue.put({1}), std::system_error);
    queue.put({3});
    CHECK(queue.get().number == 3);
    CHECK(queue.empty());
}

}  // namespace
