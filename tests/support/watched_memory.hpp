// SPDX-License-Identifier: MIT
// Replaces operator new of the whole executable, to tell the one file that includes this of each
// allocation: it defines see_allocation(). That may not allocate.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include <multiprocessing/config.hpp>

namespace support {

void see_allocation(std::size_t bytes) noexcept;

}  // namespace support

#if defined(MULTIPROCESSING_THREAD_SANITIZER)

// ThreadSanitizer brings operators of its own, which cannot be replaced, and tells of what they do.
extern "C" void __sanitizer_malloc_hook(const volatile void*, std::size_t bytes) {
    support::see_allocation(bytes);
}

#else

void* operator new(std::size_t bytes) {
    support::see_allocation(bytes);
    if (void* const memory = std::malloc(bytes != 0 ? bytes : 1))
        return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
    return operator new(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    support::see_allocation(bytes);
    return std::malloc(bytes != 0 ? bytes : 1);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

#endif
