// SPDX-License-Identifier: MIT
// How a message is marked off in a stream: CPython's frames, a length in front of each payload.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace multiprocessing::detail {

// A length is 4 bytes, signed, the highest first; -1 says that 8 bytes with the true length follow,
// for messages of 2 GiB and more. CPython takes other negative lengths for empty messages; here
// they are errors.

inline constexpr std::size_t short_frame_bytes = 4;
inline constexpr std::size_t long_frame_bytes = 12;
inline constexpr std::uint64_t longest_short_frame = 0x7fffffffU;

/// The header of one frame.
class frame_header {
public:
    explicit frame_header(std::uint64_t payload_bytes) noexcept {
        if (payload_bytes <= longest_short_frame) {
            put(0, payload_bytes, 4);
            size_ = short_frame_bytes;
        } else {
            put(0, 0xffffffffU, 4);
            put(4, payload_bytes, 8);
            size_ = long_frame_bytes;
        }
    }

    std::span<const std::byte> bytes() const& noexcept { return {bytes_.data(), size_}; }
    std::span<const std::byte> bytes() const&& = delete;

private:
    void put(std::size_t at, std::uint64_t value, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i)
            bytes_[at + i] = static_cast<std::byte>(value >> (8 * (count - 1 - i)));
    }

    std::array<std::byte, long_frame_bytes> bytes_{};
    std::size_t size_ = 0;
};

inline std::uint64_t big_endian(std::span<const std::byte> bytes) noexcept {
    std::uint64_t value = 0;
    for (const std::byte b : bytes)
        value = value << 8 | std::to_integer<std::uint64_t>(b);
    return value;
}

/// What the first 4 bytes of a frame say.
enum class frame_kind { short_frame, long_frame, invalid };

inline frame_kind read_frame_start(std::span<const std::byte, short_frame_bytes> start,
                                   std::uint64_t& payload_bytes) noexcept {
    payload_bytes = big_endian(start);
    if (payload_bytes <= longest_short_frame)
        return frame_kind::short_frame;
    return payload_bytes == 0xffffffffU ? frame_kind::long_frame : frame_kind::invalid;
}

}  // namespace multiprocessing::detail
