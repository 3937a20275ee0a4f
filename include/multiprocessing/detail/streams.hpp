// SPDX-License-Identifier: MIT
// Standard output and error, flushed where a process splits or ends.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <typeinfo>

#if defined(__has_include)
#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#define MULTIPROCESSING_HAS_DEMANGLE 1
#endif
#endif

namespace multiprocessing::detail {

/// Asks the buffer, not the stream: that the output cannot be written is for the user to hear from
/// the next operation of his own, and no reason not to start a process.
inline void flush_stream(std::ostream& stream) noexcept {
    try {
        if (stream.rdbuf() != nullptr)
            stream.rdbuf()->pubsync();
    } catch (...) {  // A buffer of the user's: see above.
    }
}

/// Writes out what C's and C++'s standard output and error hold. Other files are left alone: a
/// reader may hold their lock for as long as it likes.
inline void flush_streams() noexcept {
    flush_stream(std::cout);
    flush_stream(std::cerr);
    flush_stream(std::clog);
    std::fflush(stdout);
    std::fflush(stderr);
}

/// Forgets what `std::cin` has read ahead. Where it shares C's buffer it holds nothing itself.
inline void drop_input() noexcept {
    try {
        if (const auto ahead = std::cin.rdbuf()->in_avail(); ahead > 0)
            std::cin.ignore(ahead);
    } catch (...) {  // A stream set to throw: there is nothing more to forget.
    }
}

/// The name of a type, or of a symbol, as it is written in source, where the compiler can tell. Does
/// not throw, so that also want of memory can be reported by its name.
class readable_type_name {
public:
    explicit readable_type_name(const std::type_info& type) noexcept
        : readable_type_name(type.name()) {}
    explicit readable_type_name(const char* mangled) noexcept : mangled_(mangled) {
#if defined(MULTIPROCESSING_HAS_DEMANGLE)
        int status = 0;
        readable_ = abi::__cxa_demangle(mangled_, nullptr, nullptr, &status);
#endif
    }
    readable_type_name(const readable_type_name&) = delete;
    readable_type_name& operator=(const readable_type_name&) = delete;
    ~readable_type_name() { std::free(readable_); }

    const char* c_str() const noexcept { return readable_ != nullptr ? readable_ : mangled_; }

private:
    const char* mangled_;
    char* readable_ = nullptr;
};

inline std::string readable_name(const std::type_info& type) {
    return readable_type_name(type).c_str();
}

/// The type of the exception that is being handled; null where that cannot be known.
inline const std::type_info* current_exception_type() noexcept {
#if defined(MULTIPROCESSING_HAS_DEMANGLE)
    return abi::__cxa_current_exception_type();
#else
    return nullptr;
#endif
}

}  // namespace multiprocessing::detail
