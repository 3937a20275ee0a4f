// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/framing.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace multiprocessing::detail;

std::vector<int> header_of(std::uint64_t bytes) {
    std::vector<int> numbers;
    const frame_header header(bytes);
    for (const std::byte b : header.bytes())
        numbers.push_back(std::to_integer<int>(b));
    return numbers;
}

frame_kind kind_of(std::array<unsigned char, 4> start, std::uint64_t& bytes) {
    return read_frame_start(std::as_bytes(std::span<const unsigned char, 4>(start)), bytes);
}

// The headers that CPython 3.8 and later write.
TEST_CASE("framing: a length is four bytes, the highest first, or twelve from 2 GiB on") {
    using numbers = std::vector<int>;
    CHECK(header_of(0) == numbers{0, 0, 0, 0});
    CHECK(header_of(5) == numbers{0, 0, 0, 5});
    CHECK(header_of(0x01020304) == numbers{1, 2, 3, 4});
    CHECK(header_of(0x7fffffff) == numbers{0x7f, 0xff, 0xff, 0xff});
    CHECK(header_of(0x80000000) == numbers{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x80, 0, 0, 0});
    CHECK(header_of(0x0102030405060708) == numbers{0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("framing: of negative lengths only -1 means something") {
    std::uint64_t bytes = 0;
    CHECK(kind_of({0, 0, 1, 0}, bytes) == frame_kind::short_frame);
    CHECK(bytes == 256);
    CHECK(kind_of({0x7f, 0xff, 0xff, 0xff}, bytes) == frame_kind::short_frame);
    CHECK(bytes == 0x7fffffff);
    CHECK(kind_of({0xff, 0xff, 0xff, 0xff}, bytes) == frame_kind::long_frame);
    CHECK(kind_of({0xff, 0xff, 0xff, 0xfe}, bytes) == frame_kind::invalid);
    CHECK(kind_of({0x80, 0, 0, 0}, bytes) == frame_kind::invalid);
}

}  // namespace
