// SPDX-License-Identifier: MIT
// Backend of detail/os/throw_stack.hpp for the C++ runtime of GCC and Clang.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/frame_text.hpp>
#include <multiprocessing/detail/type_name.hpp>

#include <dlfcn.h>
#include <link.h>
#if defined(MULTIPROCESSING_LIBSTDCXX)
#include <unwind.h>
#endif

namespace multiprocessing::detail::posix {

/// As tools know an address: a program that is not relocatable is as it was linked.
inline std::uintptr_t offset_in_image(const void* address, const void* base) noexcept {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    const bool fixed = static_cast<const ElfW(Ehdr)*>(base)->e_type == ET_EXEC;
    return fixed ? place : place - reinterpret_cast<std::uintptr_t>(base);
}

/// C's names stand as they are: some of them are a type's to the demangler.
inline std::string readable_symbol(const char* name) {
    return std::string_view(name).starts_with("_Z") ? readable_type_name(name).c_str() : name;
}

inline std::string describe_code(const void* address) {
    ::Dl_info place{};
    if (::dladdr(address, &place) == 0 || place.dli_fname == nullptr)
        return frame_text("", "", reinterpret_cast<std::uintptr_t>(address));
    if (place.dli_sname == nullptr)
        return frame_text(place.dli_fname, "", offset_in_image(address, place.dli_fbase));
    const auto offset = static_cast<const char*>(address) - static_cast<char*>(place.dli_saddr);
    return frame_text(place.dli_fname, readable_symbol(place.dli_sname),
                      static_cast<std::uintptr_t>(offset));
}

#if defined(MULTIPROCESSING_LIBSTDCXX)

/// The frames between a throw and the call that is watched, or the innermost of them. All of it
/// belongs to one thread.
struct throw_trail {
    static constexpr std::size_t most_frames = 64;

    /// Where the stack of the one who watches begins; frames that are not below it are not kept.
    std::uintptr_t bottom = 0;
    std::size_t count = 0;
    const void* frames[most_frames] = {};

    /// Only once: asked again, part of the stack is unwound.
    void take_stack() noexcept {
        if (count == 0)
            ::_Unwind_Backtrace(add_frame, this);
    }

private:
    static ::_Unwind_Reason_Code add_frame(::_Unwind_Context* frame, void* trail) {
        auto& self = *static_cast<throw_trail*>(trail);
        if (self.count == most_frames || ::_Unwind_GetCFA(frame) > self.bottom)
            return _URC_END_OF_STACK;
        // Where it will return to may belong to the next line or function already.
        int is_instruction = 0;
        const auto address = ::_Unwind_GetIPInfo(frame, &is_instruction);
        self.frames[self.count++] =
            reinterpret_cast<const void*>(address - (is_instruction != 0 ? 0 : 1));
        return _URC_NO_REASON;
    }
};

inline throw_trail& last_throw() noexcept {
    thread_local throw_trail trail;
    return trail;
}

// What a handler is for is a std::type_info, which the runtime asks whether it takes the exception:
// while it looks for a handler, so before the stack of the throw is unwound. The handler of
// watch_throws is for a type whose std::type_info, to the linker an object like any other, is our
// own: asked, it notes the stack, and does not take the exception. The type is never complete in
// its own sense: that its destructor is defined nowhere keeps compilers from making the object
// themselves.
struct throw_probe {
    virtual ~throw_probe();
};
class throw_probe_type final : public std::type_info {
public:
    throw_probe_type() noexcept
        : std::type_info("N15multiprocessing6detail5posix11throw_probeE") {}

    bool __do_catch(const std::type_info*, void**, unsigned) const override {
        last_throw().take_stack();
        return false;
    }
};
extern const throw_probe_type throw_probe_object __asm__(
    "_ZTIN15multiprocessing6detail5posix11throw_probeE");
inline const throw_probe_type throw_probe_object;

template <class Call>
void watch_throws(Call&& call) {
    throw_trail& trail = last_throw();
    trail.bottom = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    trail.count = 0;
    try {
        call();
    } catch (const throw_probe&) {  // Never: it takes nothing.
    }
}

/// The frames of the runtime that a throw goes through are above the one of whoever threw.
inline bool is_of_runtime(const ::Dl_info& place) noexcept {
    const std::string_view name = place.dli_sname != nullptr ? place.dli_sname : "";
    for (const std::string_view one :
         {"__cxa_throw", "__cxa_rethrow", "_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE",
          "_Unwind_RaiseException", "_Unwind_Resume_or_Rethrow"})
        if (name == one)
            return true;
    return false;
}

inline std::vector<std::string> stack_of_throw() {
    constexpr std::size_t most_of_runtime = 12;
    const throw_trail& trail = last_throw();
    std::size_t first = 0;
    for (std::size_t i = 0; i < trail.count && i < most_of_runtime; ++i)
        if (::Dl_info place{}; ::dladdr(trail.frames[i], &place) != 0 && is_of_runtime(place))
            first = i + 1;
    std::vector<std::string> stack;
    for (std::size_t i = first; i < trail.count; ++i)
        stack.push_back(describe_code(trail.frames[i]));
    return stack;
}

#else

// Another runtime's handlers are asked in another way.
template <class Call>
void watch_throws(Call&& call) {
    call();
}

inline std::vector<std::string> stack_of_throw() {
    return {};
}

#endif

}  // namespace multiprocessing::detail::posix
