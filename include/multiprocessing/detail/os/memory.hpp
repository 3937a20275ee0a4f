// SPDX-License-Identifier: MIT
// Seam: a block of memory without a name that processes share.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/memory.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/memory.hpp>
#endif

namespace multiprocessing::detail {

/// A view of a part of a block; unmapped by its destructor. `withhold()`: copies of this process
/// do not have it, and must not destroy their copy of this object. `populate(offset, bytes)`: all of
/// these whole pages are about to be written; where the system can find memory for many pages at
/// once, it does.
using backend::mapping;

/// Memory that exists for as long as a process has a handle or a view of it, and is gone with the
/// last, however they end. It is zero at first and costs what was touched, not what was asked for.
/// Linux finds memory when it is touched: where it then has none left it ends the process (SIGBUS,
/// or the out-of-memory killer), no call can report it. Windows promises it when it is mapped,
/// which fails where it cannot. `extend(bytes)` makes it at least that large; it never shrinks, and
/// never grows past `most_bytes`. `size(bytes)`: how large it is; to touch what was mapped beyond
/// that is fatal. `map(view, offset, bytes)`: offset in whole pages. `discard(offset, bytes)` gives
/// the memory of whole pages back to the system; what they hold afterwards is not defined (zeros on
/// Linux).
using backend::shared_block;

template <class Block, class View>
concept memory_contract = std::movable<Block> && std::movable<View> &&
    requires(Block block, const Block constant, View view, const View seen, std::uint64_t& offset,
             std::size_t bytes, handle owner) {
    Block(std::move(owner));
    { Block::page_bytes } -> std::convertible_to<std::size_t>;
    { Block::most_bytes } -> std::convertible_to<std::uint64_t>;
    { Block::create(block, offset) } -> std::same_as<std::error_code>;
    { block.extend(offset) } -> std::same_as<std::error_code>;
    { constant.size(offset) } -> std::same_as<std::error_code>;
    { constant.native() }
    noexcept->std::same_as<native_handle>;
    { constant.map(view, offset, bytes) } -> std::same_as<std::error_code>;
    { constant.discard(offset, offset) } -> std::same_as<std::error_code>;
    { seen.data() }
    noexcept->std::same_as<std::byte*>;
    { seen.size() }
    noexcept->std::same_as<std::size_t>;
    { seen.withhold() }
    noexcept;
    { seen.populate(bytes, bytes) }
    noexcept;
};
static_assert(memory_contract<shared_block, mapping>);

}  // namespace multiprocessing::detail
