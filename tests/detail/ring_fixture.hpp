// SPDX-License-Identifier: MIT
// A ring in memory of its own, and messages that are numbers or runs of one byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/ring_memory.hpp>

#include "support/catch.hpp"
#include "support/memory_use.hpp"

namespace ring_test {

namespace detail = multiprocessing::detail;

inline constexpr std::uint64_t control_bytes = detail::shared_block::page_bytes;
inline constexpr std::uint64_t first_bytes = detail::shared_block::page_bytes;

class ring_fixture {
public:
    ring_fixture() {
        REQUIRE_FALSE(detail::shared_block::create(*block, control_bytes + first_bytes));
        REQUIRE_FALSE(block->map(view_, 0, control_bytes));
    }

    detail::ring_control& control() const {
        return *reinterpret_cast<detail::ring_control*>(view_.data());
    }
    bool holds_more_than(std::uint64_t bytes) const {
        return support::holds_more_than(*block, bytes);
    }
    bool holds_less_than(std::uint64_t bytes) const {
        return support::holds_less_than(*block, bytes);
    }

    std::shared_ptr<detail::shared_block> block = std::make_shared<detail::shared_block>();

private:
    detail::mapping view_;
};

/// One process' end of the ring.
struct writing_side {
    explicit writing_side(const ring_fixture& ring)
        : memory(ring.block, control_bytes, first_bytes), writer(ring.control(), memory) {}

    std::byte* reserve(std::size_t bytes,
                       detail::ring_growth growth = detail::ring_growth::whenever_full) {
        return writer.reserve(bytes, growth, ec);
    }
    bool stage(std::uint64_t number, std::size_t bytes = sizeof(std::uint64_t),
               detail::ring_growth growth = detail::ring_growth::whenever_full) {
        std::byte* const place = reserve(bytes, growth);
        if (place == nullptr)
            return false;
        std::memset(place, static_cast<int>(number & 0xffU), bytes);
        std::memcpy(place, &number, sizeof number);
        writer.commit();
        return true;
    }
    bool put(std::uint64_t number, std::size_t bytes = sizeof(std::uint64_t),
             detail::ring_growth growth = detail::ring_growth::whenever_full) {
        const bool done = stage(number, bytes, growth);
        writer.publish();
        return done;
    }

    detail::ring_memory memory;
    detail::ring_writer writer;
    std::error_code ec;
};

struct reading_side {
    explicit reading_side(const ring_fixture& ring)
        : memory(ring.block, control_bytes, first_bytes), reader(ring.control(), memory) {}

    /// The number at the front, staged as consumed; the whole message must be what was put.
    std::optional<std::uint64_t> stage() {
        std::span<const std::byte> message;
        if (!reader.front(message, ec))
            return std::nullopt;
        std::uint64_t number = 0;
        REQUIRE(message.size() >= sizeof number);
        std::memcpy(&number, message.data(), sizeof number);
        for (const std::byte b : message.subspan(sizeof number))
            if (b != static_cast<std::byte>(number & 0xffU))
                FAIL("a message of " << message.size() << " bytes is damaged");
        reader.pop();
        return number;
    }
    std::optional<std::uint64_t> get() {
        const auto number = stage();
        reader.release();
        return number;
    }

    detail::ring_memory memory;
    detail::ring_reader reader;
    std::error_code ec;
};

}  // namespace ring_test
