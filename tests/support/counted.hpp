// SPDX-License-Identifier: MIT
// A value that counts how many there are of it in this process.
#pragma once

#include <atomic>

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

/// For workers, which are asked how many they have.
inline int counted_alive() {
    return counted::alive;
}

}  // namespace support
