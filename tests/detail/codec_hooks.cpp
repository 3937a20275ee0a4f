// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/codec.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../support/catch.hpp"
#include "codec_messages.hpp"

using namespace codec_tests;

namespace app {

class by_member {
public:
    by_member() = default;
    by_member(int number, std::string text) : number_(number), text_(std::move(text)) {}
    template <class Archive>
    void serialize(Archive& ar) {
        ar(number_, text_);
    }
    bool operator==(const by_member&) const = default;

private:
    int number_ = 0;
    std::string text_;
};

class by_operator {
public:
    int number = 0;
    double grid[2][2] = {};
    template <class Archive>
    void serialize(Archive& ar, const unsigned int version) {
        CHECK(version == 0);
        // clang-format off
        ar & number & grid;
        // clang-format on
    }
};

class by_function {
public:
    explicit by_function(std::vector<int> numbers = {}) : numbers_(std::move(numbers)) {}
    std::vector<int> numbers_;
};
template <class Archive>
void serialize(Archive& ar, by_function& value) {
    ar(value.numbers_);
}

class by_versioned_function {
public:
    by_versioned_function() {}
    std::string text;
};
template <class Archive>
void serialize(Archive& ar, by_versioned_function& value, const unsigned int) {
    // clang-format off
    ar & value.text;
    // clang-format on
}

// An aggregate too: the hook decides what crosses.
struct cached {
    int value = 0;
    int cache = -1;
    template <class Archive>
    void serialize(Archive& ar) {
        ar(value);
        if constexpr (Archive::is_loading::value)
            cache = 2 * value;
    }
};

class tree {
public:
    int value = 0;
    std::vector<tree> children;
    std::unique_ptr<tree> twin;
    template <class Archive>
    void serialize(Archive& ar) {
        ar(value, children, twin);
    }
};

class without_bytes {
public:
    without_bytes() {}
    template <class Archive>
    void serialize(Archive&) {}
    int unused = 0;
};

}  // namespace app

TEST_CASE("codec: serialize() as a member, as cereal calls it") {
    const app::by_member value(5, "five");
    CHECK(round_trip(value) == value);
    CHECK(codec::encoded_size(value) == 4 + 8 + 4);
    CHECK(round_trip(std::map<int, app::by_member>{{1, value}}).at(1) == value);
}

TEST_CASE("codec: serialize() with a version, as Boost calls it") {
    app::by_operator value;
    value.number = 3;
    value.grid[1][1] = 4;
    const auto arrived = round_trip(value);
    CHECK(arrived.number == 3);
    CHECK(arrived.grid[1][1] == 4);
}

TEST_CASE("codec: serialize() as a free function is found beside its type") {
    CHECK(round_trip(app::by_function({1, 2})).numbers_ == std::vector<int>{1, 2});
    app::by_versioned_function value;
    value.text = "text";
    CHECK(round_trip(value).text == "text");
}

TEST_CASE("codec: a hook comes before what the type looks like") {
    CHECK(round_trip(app::cached{4, 0}).cache == 8);
    CHECK(codec::encoded_size(app::cached{}) == sizeof(int));
}

TEST_CASE("codec: a type with a hook may contain itself") {
    app::tree value;
    value.children.resize(3);
    value.children[1].children.resize(1);
    value.twin = std::make_unique<app::tree>();
    value.twin->value = 9;
    const auto arrived = codec::decode<app::tree>(codec::encode(value));
    CHECK(arrived.children.at(1).children.size() == 1);
    CHECK(arrived.twin->value == 9);
}

TEST_CASE("codec: many elements with a hook are not taken for elements without bytes") {
    const std::vector<app::by_member> many(100000, app::by_member(1, "x"));
    CHECK(round_trip(many) == many);
    CHECK_THROWS_AS(round_trip(std::vector<app::without_bytes>(70000)),
                    multiprocessing::PicklingError);
}
