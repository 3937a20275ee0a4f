// SPDX-License-Identifier: MIT
// Room for one message: inside the object while it is small, from the heap when it is not.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace multiprocessing::detail {

class message_buffer {
public:
    message_buffer() noexcept {}  // Its room is not filled with zeros.
    explicit message_buffer(std::size_t bytes) { resize(bytes); }
    message_buffer(const message_buffer&) = delete;
    message_buffer& operator=(const message_buffer&) = delete;

    /// Makes room for a message; what was there before is lost. Returns where it begins.
    std::byte* resize(std::size_t bytes) {
        if (bytes > sizeof small_)
            large_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
        size_ = bytes;
        return data();
    }

    std::byte* data() noexcept { return size_ > sizeof small_ ? large_.get() : small_; }
    std::span<std::byte> bytes() noexcept { return {data(), size_}; }

private:
    std::size_t size_ = 0;
    std::unique_ptr<std::byte[]> large_;
    alignas(16) std::byte small_[512];
};

}  // namespace multiprocessing::detail
