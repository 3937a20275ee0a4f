// SPDX-License-Identifier: MIT
// A value that counts how many there are of it in this process.
#pragma once

#include <atomic>
#include <ranges>

#include "support/processes.hpp"

namespace support {

class counted {
public:
    counted() { ++alive; }
    explicit counted(int value) : number(value) { ++alive; }
    counted(const counted& other) : number(other.number) { ++alive; }
    counted& operator=(const counted& other) = default;
    ~counted() { --alive; }

    template <class Archive>
    void serialize(Archive& archive) {
        archive(number);
    }

    int number = 0;
    static inline std::atomic<int> alive{0};
};

inline counted pass(const counted& value) {
    return value;
}

/// Each is made when it is looked at.
inline auto ten() {
    return std::views::iota(0, 10) | std::views::transform([](int i) { return counted(i); });
}

inline void await_none_alive() {
    await([] { return counted::alive == 0; });
}

/// For workers, which are asked how many they have.
inline int counted_alive() {
    return counted::alive;
}

}  // namespace support
