// SPDX-License-Identifier: MIT
// Bytes that no codec wrote: each is refused with the place and the reason.
#include <multiprocessing/detail/codec.hpp>

#include <bitset>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "../support/catch.hpp"
#include "codec_messages.hpp"

using namespace codec_tests;
using multiprocessing::PicklingError;

namespace {

enum class color { red = 1, green, blue };
struct nothing {};
struct node {
    std::vector<node> children;
};
struct chain {
    std::shared_ptr<chain> next;
};
class hooked {
public:
    hooked() {}
    template <class Archive>
    void serialize(Archive& ar) {
        ar(text);
    }
    std::string text;
};

// What decoding `bytes` as a T says, or nothing where it says nothing.
template <class T>
std::string refusal(const std::vector<std::byte>& bytes) {
    try {
        codec::decode<T>(bytes);
    } catch (const PicklingError& error) {
        return error.what();
    }
    return {};
}

std::vector<std::byte> counted(std::uint64_t count) {
    return codec::encode(count);
}

}  // namespace

template <>
struct multiprocessing::enum_range<color> {
    static constexpr color min = color::red;
    static constexpr color max = color::blue;
};

TEST_CASE("codec: a bool is 0 or 1") {
    CHECK(refusal<bool>(bytes_of({2})) == "expected a bool (0 or 1) of bool at byte 0, found 2");
    CHECK(refusal<std::optional<int>>(bytes_of({3, 0, 0, 0, 0})) ==
          "expected the flag (0 or 1) of std::optional<int> at byte 0, found 3");
    CHECK_FALSE(refusal<std::shared_ptr<int>>(bytes_of({255, 0, 0, 0, 0})).empty());
}

TEST_CASE("codec: an enumeration with a range stays in it") {
    CHECK(codec::decode<color>(codec::encode(3)) == color::blue);
    CHECK_THROWS_AS(codec::decode<color>(codec::encode(4)), PicklingError);
    CHECK_THROWS_AS(codec::decode<color>(codec::encode(0)), PicklingError);
    CHECK_THROWS_AS(codec::decode<std::vector<color>>(codec::encode(std::vector<int>{1, 9})),
                    PicklingError);
}

TEST_CASE("codec: an alternative that does not exist") {
    using variant = std::variant<int, nothing>;
    CHECK_FALSE(refusal<variant>(bytes_of({2, 0})).empty());
    CHECK_FALSE(refusal<variant>(bytes_of({255, 255, 1, 2, 3, 4})).empty());
}

TEST_CASE("codec: bytes beyond the end of the value") {
    CHECK(refusal<int>(bytes_of({1, 0, 0, 0, 9})) ==
          "expected the end of the message at byte 4, found 1 bytes more");
}

TEST_CASE("codec: bytes missing") {
    CHECK(refusal<int>(bytes_of({1, 0})) == "expected 4 bytes of int at byte 0, found 2");
    CHECK(refusal<std::string>(codec::encode(std::uint64_t{9}, 'a')) ==
          "expected a count of char that fits the 1 bytes left at byte 0, found 9");
    const auto whole = codec::encode(make_medium());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const std::vector<std::byte> part(whole.begin(),
                                          whole.begin() + static_cast<std::ptrdiff_t>(length));
        REQUIRE_FALSE(refusal<medium_message>(part).empty());
    }
    CHECK(codec::decode<medium_message>(whole) == make_medium());
}

TEST_CASE("codec: a key twice") {
    const std::vector<std::pair<int, int>> twice{{7, 1}, {7, 2}};
    const auto bytes = codec::encode(twice);
    CHECK_THROWS_AS((codec::decode<std::map<int, int>>(bytes)), PicklingError);
    CHECK_THROWS_AS((codec::decode<std::unordered_map<int, int>>(bytes)), PicklingError);
    CHECK((codec::decode<std::multimap<int, int>>(bytes)).size() == 2);
    const auto keys = codec::encode(std::vector<int>{7, 7});
    CHECK_THROWS_AS(codec::decode<std::set<int>>(keys), PicklingError);
    CHECK_THROWS_AS(codec::decode<std::unordered_set<int>>(keys), PicklingError);
    CHECK(codec::decode<std::unordered_multiset<int>>(keys).size() == 2);
}

TEST_CASE("codec: counts that no message can hold") {
    for (const std::uint64_t count :
         {std::uint64_t{1} << 32, std::uint64_t{1} << 60, std::uint64_t{1} << 61, ~std::uint64_t{0},
          ~std::uint64_t{0} / 8 + 1, ~std::uint64_t{0} - 7}) {
        const auto bytes = counted(count);
        CHECK_FALSE(refusal<std::vector<double>>(bytes).empty());
        CHECK_FALSE(refusal<std::vector<std::string>>(bytes).empty());
        CHECK_FALSE(refusal<std::vector<bool>>(bytes).empty());
        CHECK_FALSE(refusal<std::vector<nothing>>(bytes).empty());
        CHECK_FALSE(refusal<std::vector<hooked>>(bytes).empty());
        CHECK_FALSE(refusal<std::set<std::monostate>>(bytes).empty());
        CHECK_FALSE((refusal<std::map<int, int>>(bytes)).empty());
        CHECK_FALSE((refusal<std::unordered_map<int, nothing>>(bytes)).empty());
        CHECK_FALSE(refusal<std::u32string>(bytes).empty());
    }
    CHECK(codec::decode<std::vector<nothing>>(counted(3)).size() == 3);
}

TEST_CASE("codec: elements without bytes have a limit in all, not in each container") {
    std::vector<std::vector<nothing>> many(3, std::vector<nothing>(30000));
    CHECK_THROWS_AS(round_trip(many), PicklingError);
    many.pop_back();
    CHECK(round_trip(many).size() == 2);
}

TEST_CASE("codec: bits beyond the last of a bitset are zero") {
    CHECK_FALSE(refusal<std::bitset<3>>(bytes_of({8})).empty());
    CHECK(codec::decode<std::bitset<3>>(bytes_of({7})).all());
    CHECK_FALSE(refusal<std::vector<bool>>(codec::encode(std::uint64_t{1}, std::byte{2})).empty());
}

TEST_CASE("codec: nesting has a limit, for the reader and for the writer") {
    const auto nested = [](std::size_t levels) {
        std::vector<std::byte> bytes;
        for (std::size_t i = 0; i < levels; ++i)
            for (const std::byte byte : codec::encode(std::uint64_t{i + 1 < levels}))
                bytes.push_back(byte);
        return bytes;
    };
    CHECK(refusal<node>(nested(200)).empty());
    CHECK(refusal<node>(nested(100000)) == "a value nests deeper than 256 levels");

    const auto ring = std::make_shared<chain>();
    ring->next = ring;
    CHECK_THROWS_AS(codec::encoded_size(*ring), PicklingError);
    ring->next = nullptr;
}
