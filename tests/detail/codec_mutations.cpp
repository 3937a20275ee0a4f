// SPDX-License-Identifier: MIT
// A message damaged at random, many times: read or refused, and never more memory asked for than
// its bytes can justify. An executable of its own, for it replaces operator new.
#include <multiprocessing/detail/codec.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "../support/catch.hpp"
#include "../support/watched_memory.hpp"
#include "codec_messages.hpp"

namespace {

std::size_t largest_allocation = 0;

}  // namespace

void support::see_allocation(std::size_t bytes) noexcept {
    if (bytes > largest_allocation)
        largest_allocation = bytes;
}

using namespace codec_tests;

namespace {

struct nothing {};
struct large {
    double room[512];
};
struct node {
    std::vector<node> children;
    std::unique_ptr<int> leaf;
};
class hooked {
public:
    template <class Archive>
    void serialize(Archive& ar) {
        ar(text, numbers);
    }
    std::string text;
    std::vector<short> numbers;
};

// As different as the codec allows: what grows, what weighs nothing, what contains itself.
struct wild_message {
    std::vector<node> trees;
    std::vector<nothing> weightless;
    std::vector<std::variant<int, large>> uneven;
    std::unordered_map<std::string, std::vector<bool>> bits;
    std::vector<hooked> hooks;
    std::set<std::u16string> names;
    std::vector<std::optional<std::string>> maybe;
};

wild_message make_wild() {
    wild_message message;
    message.trees.resize(3);
    message.trees[1].children.resize(2);
    message.trees[1].children[0].leaf = std::make_unique<int>(3);
    message.weightless.resize(9);
    message.uneven = {1, 2, 3};
    message.bits = {{"a", {true, false}}, {"b", {}}};
    message.hooks.resize(4);
    message.names = {u"x", u"y"};
    message.maybe = {"text", std::nullopt};
    return message;
}

struct tally {
    int accepted = 0;
    int refused = 0;
};

template <class Message>
void try_decode(const std::vector<std::byte>& bytes, tally& counts) {
    try {
        codec::decode<Message>(bytes);
        ++counts.accepted;
    } catch (const multiprocessing::PicklingError&) {
        ++counts.refused;
    }
}

// One to four bytes at a time; ones and zeros more often than chance, for they make counts.
void damage(std::vector<std::byte>& bytes, std::mt19937& random) {
    for (std::size_t times = 1 + random() % 4; times != 0; --times) {
        const auto draw = static_cast<std::uint32_t>(random());
        std::uint32_t value = draw >> 8;
        if (draw % 4 == 0)
            value = 0xFF;
        else if (draw % 4 == 1)
            value &= 3;
        bytes[random() % bytes.size()] = static_cast<std::byte>(value);
    }
}

template <class Message>
tally mutate(const Message& message, int times) {
    const auto original = codec::encode(message);
    std::mt19937 random(20240607);
    tally counts;
    largest_allocation = 0;
    for (int i = 0; i < times; ++i) {
        auto bytes = original;
        damage(bytes, random);
        try_decode<Message>(bytes, counts);
    }
    return counts;
}

}  // namespace

TEST_CASE("codec: 50,000 damaged messages ask for no more memory than their bytes justify") {
    const std::size_t bytes = codec::encoded_size(make_medium());
    const tally counts = mutate(make_medium(), 50000);
    const std::size_t largest = largest_allocation;
    CAPTURE(counts.accepted, counts.refused, bytes);
    CHECK(largest <= 2 * bytes);
    CHECK(counts.accepted > 0);
    CHECK(counts.refused > 0);
}

TEST_CASE("codec: damaged messages of types that grow stay within a multiple of their bytes") {
    const std::size_t bytes = codec::encoded_size(make_wild());
    const tally counts = mutate(make_wild(), 50000);
    const std::size_t largest = largest_allocation;
    CAPTURE(counts.accepted, counts.refused, bytes);
    // Elements without bytes are the exception, and have their own limit (doubled as they grow).
    CHECK(largest <= 2 * codec::max_weightless);
    CHECK(counts.refused > 0);
}

TEST_CASE("codec: room is made for what is left to read, not for what is announced") {
    std::vector<std::variant<int, large>> values;
    const auto message = codec::encode(std::vector<short>(300, 7));  // 300 indexes out of range.
    largest_allocation = 0;
    tally counts;
    try_decode<decltype(values)>(message, counts);
    const std::size_t largest = largest_allocation;
    CHECK(counts.refused == 1);
    CHECK(largest <= codec::max_growth * message.size() + sizeof(values[0]));
}
