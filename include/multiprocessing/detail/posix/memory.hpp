// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/memory.hpp: memfd, mapped shared, sparse until it is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

class mapping {
public:
    mapping() noexcept = default;
    mapping(void* data, std::size_t bytes) noexcept
        : data_(static_cast<std::byte*>(data)), bytes_(bytes) {}
    mapping(mapping&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    mapping& operator=(mapping&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~mapping() {
        if (data_ != nullptr)
            ::munmap(data_, bytes_);  // Nothing to do on failure: the arguments are those of mmap.
    }

    std::byte* data() const noexcept { return data_; }
    std::size_t size() const noexcept { return bytes_; }
    explicit operator bool() const noexcept { return data_ != nullptr; }

private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

class shared_block {
public:
    shared_block() noexcept = default;
    explicit shared_block(handle owner) noexcept : memory_(std::move(owner)) {}

    static constexpr std::size_t page_bytes = 4096;
    static constexpr std::uint64_t most_bytes =
        sizeof(void*) == 8 ? std::uint64_t{1} << 40 : std::uint64_t{1} << 30;

    static std::error_code create(shared_block& block, std::uint64_t bytes) noexcept {
        handle memory(::memfd_create("multiprocessing", MFD_CLOEXEC));
        if (!memory)
            return last_error();
        if (const auto ec = keep_off_streams(memory))
            return ec;
        block.memory_ = std::move(memory);
        return block.extend(bytes);
    }

    native_handle native() const noexcept { return memory_.get(); }

    /// What it holds now; 0 where that cannot be known.
    std::uint64_t size() const noexcept {
        struct ::stat now {};
        return ::fstat(memory_.get(), &now) == 0 ? static_cast<std::uint64_t>(now.st_size) : 0;
    }

    /// Asks for the limit first: beyond it the kernel would send a signal instead of an error.
    std::error_code extend(std::uint64_t bytes) noexcept {
        ::rlimit limit{};
        if (bytes > most_bytes ||
            (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur))
            return std::make_error_code(std::errc::file_too_large);
        struct ::stat now {};
        if (::fstat(memory_.get(), &now) == -1)
            return last_error();
        if (static_cast<std::uint64_t>(now.st_size) >= bytes)
            return {};
        if (retry([&] { return ::ftruncate(memory_.get(), static_cast<::off_t>(bytes)); }) == -1)
            return last_error();
        return {};
    }

    std::error_code map(mapping& view, std::uint64_t offset, std::size_t bytes) const noexcept {
        void* const data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(),
                                  static_cast<::off_t>(offset));
        if (data == MAP_FAILED)
            return last_error();
        view = mapping(data, bytes);
        return {};
    }

    std::error_code discard(std::uint64_t offset, std::uint64_t bytes) const noexcept {
        const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
        const auto result = retry([&] {
            return ::fallocate(memory_.get(), mode, static_cast<::off_t>(offset),
                               static_cast<::off_t>(bytes));
        });
        return result == -1 ? last_error() : std::error_code();
    }

private:
    handle memory_;
};

}  // namespace multiprocessing::detail::posix
