// SPDX-License-Identifier: MIT
// Windows backend of detail/os/memory.hpp: sections of the page file, reserved whole and committed
// where they are mapped.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>

namespace multiprocessing::detail::windows {

class mapping {
public:
    mapping() noexcept = default;
    /// `base` is where the view begins, which is where the system can begin one.
    mapping(void* base, std::size_t before, std::size_t bytes) noexcept
        : base_(base), data_(static_cast<std::byte*>(base) + before), bytes_(bytes) {}
    mapping(mapping&& other) noexcept
        : base_(std::exchange(other.base_, nullptr)), data_(std::exchange(other.data_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)) {}
    mapping& operator=(mapping&& other) noexcept {
        std::swap(base_, other.base_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~mapping() {
        if (base_ != nullptr)
            api::UnmapViewOfFile(base_);  // Nothing to do on failure: it is a view, and ours.
    }

    /// No process is a copy of another here.
    void withhold() const noexcept {}
    /// What was committed is found a page at a time, when it is touched.
    void populate(std::size_t, std::size_t) const noexcept {}

    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return bytes_; }
    explicit operator bool() const noexcept { return data_ != nullptr; }

private:
    void* base_ = nullptr;
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

// A section cannot grow. So each is as large as a block may ever get, of which nothing is there at
// first: 2^40 bytes of addresses of the kernel's, without tables or memory behind them. (.NET
// reserves twice that in every process.) Pages are committed when they are first mapped, once for
// all processes; that is where want of memory is told, as an error. The system's promise to have
// the memory stays given until the block is gone, also for what is discarded.
//
// How large the block is stands in a page in front of what users see. Two sides move it by
// compare-and-swap, upwards only.
class shared_block {
public:
    shared_block() noexcept = default;
    explicit shared_block(handle owner) noexcept : section_(std::move(owner)) {}

    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::uint64_t most_bytes =
        (sizeof(void*) == 8 ? std::uint64_t{1} << 40 : std::uint64_t{1} << 30) - page_bytes;

    static std::error_code create(shared_block& block, std::uint64_t bytes) noexcept {
        constexpr api::dword reserve = 0x4000000;
        constexpr std::uint64_t all = most_bytes + page_bytes;
        if (bytes > most_bytes)
            return std::make_error_code(std::errc::file_too_large);
        handle section;
        if (const auto ec = take_over(api::CreateFileMappingW(to_system(no_handle), nullptr,
                                                              api::page_read_write | reserve,
                                                              high(all), low(all), nullptr),
                                      section))
            return ec;
        block.section_ = std::move(section);
        head_view view;
        if (const auto ec = view.open(block.section_.get()))
            return ec;
        view->bytes.store(bytes, std::memory_order_relaxed);
        // Release pairs with the acquire in head_view::open(): with the mark the size is there.
        view->mark.store(block_mark, std::memory_order_release);
        return {};
    }

    native_handle native() const noexcept { return section_.get(); }

    /// Fails for a handle that is of something else.
    std::error_code size(std::uint64_t& bytes) const noexcept {
        head_view view;
        if (const auto ec = view.open_marked(section_.get()))
            return ec;
        // Acquire pairs with the release in extend(): one process made it larger, another uses it.
        bytes = view->bytes.load(std::memory_order_acquire);
        return bytes <= most_bytes ? std::error_code()
                                   : std::make_error_code(std::errc::bad_message);
    }

    std::error_code extend(std::uint64_t bytes) noexcept {
        if (bytes > most_bytes)
            return std::make_error_code(std::errc::file_too_large);
        head_view view;
        if (const auto ec = view.open_marked(section_.get()))
            return ec;
        std::uint64_t now = view->bytes.load(std::memory_order_relaxed);
        while (now < bytes &&
               !view->bytes.compare_exchange_weak(now, bytes, std::memory_order_release,
                                                  std::memory_order_relaxed)) {
        }
        return {};
    }

    /// Views begin at multiples of 64 KiB only; what is before the offset is mapped, too, and not
    /// used.
    std::error_code map(mapping& view, std::uint64_t offset, std::size_t bytes) const noexcept {
        mapping made;
        if (const auto ec = map_reserved(made, offset, bytes))
            return ec;
        if (api::VirtualAlloc(made.data(), bytes, api::memory_commit, api::page_read_write) ==
            nullptr)
            return last_error();
        view = std::move(made);
        return {};
    }

    /// Only what was committed: the rest has no memory. The system is told that the contents are of
    /// no interest, which spares it writing them to the page file; it takes the pages when it needs
    /// them.
    std::error_code discard(std::uint64_t offset, std::uint64_t bytes) const noexcept {
        std::uint64_t end = 0;
        if (const auto ec = size(end))
            return ec;
        if (offset >= end)
            return {};
        if (bytes < end - offset)
            end = offset + bytes;
        mapping view;
        if (const auto ec = map_reserved(view, offset, static_cast<std::size_t>(end - offset)))
            return ec;
        return reset(view);
    }

private:
    struct head {
        std::atomic<std::uint64_t> mark;
        std::atomic<std::uint64_t> bytes;
    };
    static constexpr std::uint64_t block_mark = 0x6b636f6c622d706dU;

    class head_view {
    public:
        std::error_code open(native_handle section) noexcept {
            view_ =
                mapping(api::MapViewOfFile(to_system(section), read_and_write, 0, 0, page_bytes), 0,
                        page_bytes);
            if (!view_ || api::VirtualAlloc(view_.data(), page_bytes, api::memory_commit,
                                            api::page_read_write) == nullptr)
                return last_error();
            return {};
        }
        std::error_code open_marked(native_handle section) noexcept {
            if (const auto ec = open(section))
                return ec;
            return (*this)->mark.load(std::memory_order_acquire) == block_mark
                       ? std::error_code()
                       : std::make_error_code(std::errc::bad_message);
        }
        head* operator->() const noexcept {
            return std::launder(reinterpret_cast<head*>(view_.data()));
        }

    private:
        mapping view_;
    };

    std::error_code map_reserved(mapping& view, std::uint64_t offset,
                                 std::size_t bytes) const noexcept {
        constexpr std::uint64_t granularity = 64 * 1024;
        const std::uint64_t at = page_bytes + offset;
        const std::uint64_t begin = at & ~(granularity - 1);
        const auto before = static_cast<std::size_t>(at - begin);
        void* const base = api::MapViewOfFile(to_system(section_.get()), read_and_write,
                                              high(begin), low(begin), before + bytes);
        if (base == nullptr)
            return last_error();
        view = mapping(base, before, bytes);
        return {};
    }

    static std::error_code reset(const mapping& view) noexcept {
        std::byte* at = view.data();
        std::byte* const end = at + view.size();
        while (at < end) {
            api::memory_information found;
            if (!api::query_memory(at, found))
                return last_error();
            const auto here = static_cast<std::size_t>(found.bytes);
            const auto left = static_cast<std::size_t>(end - at);
            const std::size_t bytes = here < left ? here : left;
            if (found.state == api::memory_commit &&
                api::VirtualAlloc(at, bytes, api::memory_reset, api::page_read_write) == nullptr)
                return last_error();
            at += bytes;
        }
        return {};
    }

    static constexpr api::dword high(std::uint64_t value) noexcept {
        return static_cast<api::dword>(value >> 32);
    }
    static constexpr api::dword low(std::uint64_t value) noexcept {
        return static_cast<api::dword>(value & 0xFFFFFFFFU);
    }

    static constexpr api::dword read_and_write = 6;

    handle section_;
};

}  // namespace multiprocessing::detail::windows
