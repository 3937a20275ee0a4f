// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/codec.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "../support/catch.hpp"
#include "codec_messages.hpp"

using namespace codec_tests;
using codec::member_count;

namespace {

struct point {
    double x, y;
    bool operator==(const point&) const = default;
};
struct padded {
    char letter;
    int number;
    bool operator==(const padded&) const = default;
};
struct nothing {
    bool operator==(const nothing&) const = default;
};
struct grid {
    int cells[2][3];
    std::string names[2];
    int last;
    bool operator==(const grid&) const = default;
};
struct everything {
    std::optional<int> maybe;
    nothing empty;
    point where;
    std::array<point, 2> corners;
    std::variant<int, std::string> either;
    std::map<int, std::vector<point>> places;
    std::unique_ptr<padded> owned;
    std::tuple<int, char> pair;
    char text[8];
    std::optional<std::string> remark;
};
struct with_defaults {
    int a = 1;
    std::string b = "b";
    std::optional<int> c = std::nullopt;
    bool operator==(const with_defaults&) const = default;
};

class no_default {
public:
    explicit no_default(int value) : value_(value) {}
    int value_;
};
template <class Archive>
void serialize(Archive& ar, no_default& value) {
    ar(value.value_);
}

enum class level : int { low, high };
struct reading {
    level how;
    long when;
    bool operator==(const reading&) const = default;
};
struct must_be_given {
    std::reference_wrapper<int> target;
};
struct node {
    int value;
    std::vector<node> children;
    bool operator==(const node&) const = default;
};
struct list_node {
    int value;
    std::unique_ptr<list_node> next;
};
struct tag {};
struct tagged : tag {
    int number;
    std::string text;
};
struct sixty_four {
    int m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16;
    int n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15, n16;
    int o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, o11, o12, o13, o14, o15, o16;
    std::string p1;
    int p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16;
    bool operator==(const sixty_four&) const = default;
};
struct sixty_five {
    sixty_four most;
    int m[2];
};
struct too_many {
    int m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16;
    int n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15, n16;
    int o1, o2, o3, o4, o5, o6, o7, o8, o9, o10, o11, o12, o13, o14, o15, o16;
    int p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15, p16, p17;
};

/// A vocabulary of the test: a type without default that the codec reads all the same.
struct meter {
    explicit meter(double length) : length_(length) {}
    double length_;
};

}  // namespace

template <>
struct multiprocessing::detail::codec<meter> {
    static constexpr std::size_t min_bytes = sizeof(double);
    static void size(sizer& sizes, const meter&) { sizes.add(sizeof(double)); }
    static void write(writer& out, const meter& value) { out.put_value(value.length_); }
    static meter read(decoder& in) { return meter(in.read<double>()); }
};

namespace {

struct room {
    meter width;
    std::string name;
    std::optional<int> floor;
    meter height;
};
struct flat {
    room kitchen;
    std::vector<room> others;
    int number = 3;
    meter balcony;
};
struct uneven {
    int lengths[3];
    meter last;
};

}  // namespace

static_assert(member_count<point> == 2 && member_count<grid> == 3 &&
              member_count<everything> == 10);
static_assert(member_count<with_defaults> == 3 && member_count<sixty_four> == 64);
static_assert(member_count<sixty_five> == 2 && member_count<tagged> == 2);
static_assert(member_count<room> == 4 && member_count<flat> == 4);
static_assert(!codec::sendable<too_many> && !codec::sendable<must_be_given>);
static_assert(!codec::sendable<uneven>);
static_assert(codec::is_bulk<point> && !codec::is_bulk<padded> && !codec::is_bulk<small_message>);
static_assert(!codec::sendable<no_default>);

TEST_CASE("codec: a struct crosses without a line of boilerplate") {
    const small_message message{1, -2, 3.5, true, "five"};
    CHECK(round_trip(message) == message);
    CHECK(codec::encoded_size(message) == 8 + 4 + 8 + 1 + 8 + 4);
    CHECK(round_trip(make_medium()) == make_medium());
    CHECK(round_trip(padded{'x', 7}) == padded{'x', 7});
    CHECK(codec::encoded_size(padded{}) == 5);
    CHECK(round_trip(nothing{}) == nothing{});
    CHECK(round_trip(with_defaults{2, "c", 4}) == with_defaults{2, "c", 4});
    CHECK(round_trip(reading{level::high, 9}) == reading{level::high, 9});
}

TEST_CASE("codec: members may be arrays of any dimension") {
    const grid value{{{1, 2, 3}, {4, 5, 6}}, {"a", "b"}, 7};
    CHECK(round_trip(value) == value);
    CHECK(round_trip(std::vector<grid>{value, value})[1] == value);
}

TEST_CASE("codec: members of every kind in one struct") {
    everything value{3, {}, {1, 2}, {}, "text", {{1, {{3, 4}}}}, nullptr, {5, 'c'}, "1234567", {}};
    value.owned = std::make_unique<padded>(padded{'p', 1});
    const auto arrived = codec::decode<everything>(codec::encode(value));
    CHECK(arrived.maybe == 3);
    CHECK(arrived.where == point{1, 2});
    CHECK(std::get<std::string>(arrived.either) == "text");
    CHECK(arrived.places == value.places);
    CHECK(*arrived.owned == padded{'p', 1});
    CHECK(std::string(arrived.text) == "1234567");
    CHECK(arrived.remark == std::nullopt);
}

TEST_CASE("codec: members without a default are built from what is read") {
    const room value{meter(2.5), "bath", 3, meter(2)};
    CHECK(codec::decode<room>(codec::encode(value)).height.length_ == 2);
    const flat whole{value, {value, value}, 4, meter(1)};
    const auto arrived = codec::decode<flat>(codec::encode(whole));
    CHECK(arrived.others.at(1).width.length_ == 2.5);
    CHECK(arrived.balcony.length_ == 1);
}

TEST_CASE("codec: a struct may contain itself through a container or pointer") {
    const node tree{1, {{2, {}}, {3, {{4, {}}}}}};
    CHECK(round_trip(tree) == tree);
    list_node list{1, std::make_unique<list_node>()};
    CHECK(codec::decode<list_node>(codec::encode(list)).next->next == nullptr);
}

TEST_CASE("codec: an empty base hides nothing, 64 members are taken") {
    CHECK(codec::decode<tagged>(codec::encode(tagged{{}, 5, "t"})).text == "t");
    sixty_four many{};
    many.p1 = "p";
    many.p16 = 16;
    CHECK(round_trip(many) == many);
}

TEST_CASE("codec: structs of numbers only are copied as one block") {
    std::vector<point> points(1000, point{1, 2});
    CHECK(round_trip(points) == points);
    CHECK(codec::encoded_size(points) == 8 + 1000 * sizeof(point));
}
