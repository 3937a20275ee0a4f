// SPDX-License-Identifier: MIT
// The names of types, as they are written in source.
#pragma once

#include <cstdlib>
#include <string>
#include <typeinfo>

#if defined(__has_include)
#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#define MULTIPROCESSING_HAS_DEMANGLE 1
#endif
#endif

namespace multiprocessing::detail {

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
