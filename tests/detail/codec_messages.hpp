// SPDX-License-Identifier: MIT
// The messages that several tests of the codec send.
#pragma once

#include <multiprocessing/detail/codec.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace codec_tests {

namespace codec = multiprocessing::detail;

template <class T>
T round_trip(const T& value) {
    return codec::decode<T>(codec::encode(value));
}

struct small_message {
    std::uint64_t id;
    std::int32_t kind;
    double weight;
    bool urgent;
    std::string name;
    bool operator==(const small_message&) const = default;
};

struct medium_message {
    std::uint64_t id;
    std::string title;
    std::vector<int> samples;
    std::map<std::string, double> scores;
    std::optional<std::string> remark;
    std::vector<small_message> parts;
    bool operator==(const medium_message&) const = default;
};

inline medium_message make_medium() {
    medium_message message{42, std::string(40, 't'), {}, {}, "a remark", {}};
    for (int i = 0; i < 64; ++i)
        message.samples.push_back(i);
    for (int i = 0; i < 8; ++i) {
        message.scores["score " + std::to_string(i)] = i;
        message.parts.push_back(
            {static_cast<std::uint64_t>(i), -i, 2.5, i % 2 == 0, "hello world"});
    }
    return message;
}

inline std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
    std::vector<std::byte> bytes;
    for (const int value : values)
        bytes.push_back(static_cast<std::byte>(value));
    return bytes;
}

}  // namespace codec_tests
