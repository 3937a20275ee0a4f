// SPDX-License-Identifier: MIT
// Room for one message: inside the object while it is small, from the heap when it is not.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace multiprocessing::detail {

class message_buffer {
public:
    explicit message_buffer(std::size_t bytes) : size_(bytes) {
        if (bytes > sizeof small_)
            large_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    }
    message_buffer(const message_buffer&) = delete;
    message_buffer& operator=(const message_buffer&) = delete;

    std::byte* data() noexcept { return large_ ? large_.get() : small_; }
    std::span<std::byte> bytes() noexcept { return {data(), size_}; }

private:
    std::size_t size_;
    std::unique_ptr<std::byte[]> large_;
    alignas(16) std::byte small_[512];
};

}  // namespace multiprocessing::detail
