// SPDX-License-Identifier: MIT
// The name of a type, readable for messages, and its hash, to recognise it in another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <multiprocessing/config.hpp>

namespace multiprocessing::detail {

template <class T>
constexpr std::string_view signature_of() {
    return MULTIPROCESSING_FUNCTION_SIGNATURE;
}

/// The compiler's full spelling of `T`, cut out of a function's signature. What stands around it is
/// measured with a type of known name, so no compiler's format is assumed.
template <class T>
constexpr std::string_view spelling_of() {
    constexpr std::string_view known = "double";
    constexpr std::string_view frame = signature_of<double>();
    constexpr std::size_t before = frame.find(known);
    constexpr std::size_t after = frame.size() - before - known.size();
    constexpr std::string_view whole = signature_of<T>();
    return whole.substr(before, whole.size() - before - after);
}

inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
    std::size_t at = 0;
    while ((at = text.find(from, at)) != std::string::npos) {
        text.replace(at, from.size(), to);
        at += to.size();
    }
}

/// A spelling as a person would write it: no versioned namespaces, no `struct` in front.
inline std::string readable(std::string_view spelling) {
    std::string text(spelling);
    for (const char* noise : {"__cxx11::", "__1::", "struct ", "class ", "enum "})
        replace_all(text, noise, "");
    replace_all(text, "std::basic_string<char>", "std::string");
    replace_all(text, "std::basic_string<char,std::char_traits<char>,std::allocator<char> >",
                "std::string");
    return text;
}

template <class T>
std::string type_name() {
    return readable(spelling_of<T>());
}

/// FNV-1a over the full spelling. Equal in every process of one build, also where addresses are
/// not. Types of one spelling in different translation units (unnamed namespaces) share a tag.
template <class T>
constexpr std::uint64_t type_tag() {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char letter : spelling_of<T>()) {
        hash ^= static_cast<unsigned char>(letter);
        hash *= 0x100000001b3U;
    }
    return hash;
}

}  // namespace multiprocessing::detail
