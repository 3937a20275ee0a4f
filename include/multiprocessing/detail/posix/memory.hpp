// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/memory.hpp: memfd, mapped shared, sparse until it is touched.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>

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

    /// Where the kernel refuses, copies have it: they are not to use it anyway.
    void withhold() const noexcept { ::madvise(data_, bytes_, MADV_DONTFORK); }

    /// Some at a time, so that other threads, which it keeps from mapping memory, get in between.
    /// Where the kernel cannot (before Linux 5.14) or has no more memory, writing there will show.
    void populate(std::size_t offset, std::size_t bytes) const noexcept {
        constexpr int populate_write = 23;  // Not all headers have the name, MADV_POPULATE_WRITE.
        constexpr std::size_t at_a_time = std::size_t{2} << 20;
        for (std::size_t done = 0; done < bytes; done += at_a_time) {
            const std::size_t left = bytes - done;
            if (::madvise(data_ + offset + done, left < at_a_time ? left : at_a_time,
                          populate_write) == -1)
                return;
        }
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

    /// The largest that kernels for the processor have.
#if defined(__x86_64__) || defined(__i386__)
    static constexpr std::size_t page_bytes = 4096;
#else
    static constexpr std::size_t page_bytes = 65536;
#endif
    static constexpr std::uint64_t most_bytes =
        sizeof(void*) == 8 ? std::uint64_t{1} << 40 : std::uint64_t{1} << 30;

    static std::error_code create(shared_block& block, std::uint64_t bytes) noexcept {
        handle memory(open_memory());
        if (!memory)
            return last_error();
        if (const auto ec = keep_off_streams(memory))
            return ec;
        // What is mapped stays there: a block that were cut off would end its readers with SIGBUS.
        if (::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) == -1)
            return last_error();
        // Code that writes to descriptors it does not know gets an error instead of the memory.
        ::lseek(memory.get(), std::numeric_limits<::off_t>::max(), SEEK_SET);
        block.memory_ = std::move(memory);
        return block.extend(bytes);
    }

    native_handle native() const noexcept { return memory_.get(); }

    std::error_code size(std::uint64_t& bytes) const noexcept {
        struct ::stat now {};
        if (::fstat(memory_.get(), &now) == -1)
            return last_error();
        bytes = static_cast<std::uint64_t>(now.st_size);
        return {};
    }

    /// Asks for the limit first: beyond it the kernel would send a signal instead of an error.
    /// Where two extend at once the seal keeps the smaller wish from undoing the larger one.
    std::error_code extend(std::uint64_t bytes) noexcept {
        std::uint64_t now = 0;
        if (const auto ec = size(now); ec || now >= bytes)
            return ec;
        ::rlimit limit{};
        if (bytes > most_bytes ||
            (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur))
            return std::make_error_code(std::errc::file_too_large);
        if (retry([&] { return ::ftruncate(memory_.get(), static_cast<::off_t>(bytes)); }) == 0)
            return {};
        const auto failed = last_error();
        return !size(now) && now >= bytes ? std::error_code() : failed;
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
    /// Not executable where the kernel knows the flag; some systems insist on it.
    static native_handle open_memory() noexcept {
        constexpr unsigned not_executable = 8;
        const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
        const native_handle memory = ::memfd_create("multiprocessing", flags | not_executable);
        return memory == no_handle && errno == EINVAL ? ::memfd_create("multiprocessing", flags)
                                                      : memory;
    }

    handle memory_;
};

}  // namespace multiprocessing::detail::posix
