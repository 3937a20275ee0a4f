// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/os/memory.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/leftovers.hpp"
#include "support/memory_use.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <fcntl.h>
#endif

namespace {

using namespace multiprocessing::detail;

using support::has_bytes;

constexpr std::size_t page = shared_block::page_bytes;

TEST_CASE("memory: a block is zero and costs what was touched") {
    const support::leftovers leftovers;
    shared_block block;
    REQUIRE_FALSE(shared_block::create(block, std::uint64_t{1} << 36));
    CHECK(has_bytes(block, 0));
    mapping view;
    REQUIRE_FALSE(block.map(view, std::uint64_t{1} << 35, 1 << 20));
    CHECK(view.size() == 1 << 20);
    view.data()[4096] = std::byte{1};
    CHECK(has_bytes(block, 4096));
    CHECK(view.data()[4095] == std::byte{0});
}

TEST_CASE("memory: two views show the same bytes, and outlive the handle") {
    const support::leftovers leftovers;
    mapping one;
    mapping two;
    {
        shared_block block;
        REQUIRE_FALSE(shared_block::create(block, 2 * page));
        REQUIRE_FALSE(block.map(one, 0, 2 * page));
        handle copy;
        REQUIRE_FALSE(duplicate(block.native(), copy));
        const shared_block other(std::move(copy));
        REQUIRE_FALSE(other.map(two, page, page));
    }
    one.data()[page + 8] = std::byte{42};
    CHECK(two.data()[8] == std::byte{42});
    mapping moved = std::move(one);
    CHECK(moved.data()[page + 8] == std::byte{42});
    CHECK(one.data() == nullptr);
}

TEST_CASE("memory: a block grows and never shrinks, whoever tries") {
    shared_block block;
    REQUIRE_FALSE(shared_block::create(block, page));
    std::uint64_t bytes = 0;
    REQUIRE_FALSE(block.extend(100'000));
    REQUIRE_FALSE(block.extend(50'000));
    REQUIRE_FALSE(block.size(bytes));
    CHECK(bytes == 100'000);
#if defined(MULTIPROCESSING_POSIX)  // On Windows nothing can even try.
    CHECK(::ftruncate(block.native(), 10) == -1);
#endif
    REQUIRE_FALSE(block.size(bytes));
    CHECK(bytes == 100'000);
}

TEST_CASE("memory: growth beyond what the system allows is an error, not a signal") {
    shared_block block;
    REQUIRE_FALSE(shared_block::create(block, 100'000));
    CHECK(block.extend(shared_block::most_bytes + 1) == std::errc::file_too_large);
#if defined(MULTIPROCESSING_POSIX)  // Windows has no limits that a process sets itself.
    const support::file_size_limit limit(4096);
    CHECK(block.extend(200'000) == std::errc::file_too_large);
    CHECK_FALSE(block.extend(100'000));  // It is as large already.
    shared_block none;
    CHECK(shared_block::create(none, 8192) == std::errc::file_too_large);
#endif
}

TEST_CASE("memory: what is discarded is given back and reads as zero") {
    shared_block block;
    REQUIRE_FALSE(shared_block::create(block, 1 << 20));
    mapping view;
    REQUIRE_FALSE(block.map(view, 0, 1 << 20));
    std::memset(view.data(), 1, 1 << 20);
    CHECK(has_bytes(block, 1 << 20));
    REQUIRE_FALSE(block.discard(page, (1 << 20) - 2 * page));
    CHECK(has_bytes(block, 2 * page));
    CHECK(view.data()[0] == std::byte{1});
#if defined(MULTIPROCESSING_POSIX)  // Windows may keep what it was told it need not keep.
    CHECK(view.data()[page] == std::byte{0});
#endif
    CHECK(view.data()[(1 << 20) - page] == std::byte{1});
    CHECK_FALSE(block.discard(page, shared_block::most_bytes));
}

TEST_CASE("memory: what is populated is there, keeps what it holds, and no more is there") {
    shared_block block;
    constexpr std::size_t all = 8 << 20;
    REQUIRE_FALSE(shared_block::create(block, all));
    mapping view;
    REQUIRE_FALSE(block.map(view, 0, all));
    view.data()[2 * page] = std::byte{42};
    view.populate(page, all - 2 * page);
    view.populate(page, 0);
#if defined(MULTIPROCESSING_POSIX)
    if (support::can_populate())
        CHECK(has_bytes(block, all - 2 * page));
#endif
    CHECK(view.data()[2 * page] == std::byte{42});
    CHECK(view.data()[all - page] == std::byte{0});
}

#if defined(MULTIPROCESSING_POSIX)  // Windows numbers standard streams apart.
TEST_CASE("memory: is never at the place of a standard stream, nor inherited") {
    const int saved = ::fcntl(0, F_DUPFD_CLOEXEC, 10);
    REQUIRE(::close(0) == 0);
    {
        shared_block block;
        const auto error = shared_block::create(block, page);
        const int flags = ::fcntl(block.native(), F_GETFD);
        const int place = block.native();
        REQUIRE(::dup2(saved, 0) == 0);
        CHECK_FALSE(error);
        CHECK(place > 2);
        CHECK((flags & FD_CLOEXEC) != 0);
    }
    ::close(saved);
}
#endif

}  // namespace
