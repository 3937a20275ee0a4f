// SPDX-License-Identifier: MIT
// Windows backend of detail/os/throw_stack.hpp: a C++ throw is an exception of the system's, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <multiprocessing/detail/frame_text.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/text.hpp>

namespace multiprocessing::detail::windows {

inline constexpr std::size_t most_frames = 64;

/// The return addresses of a stack, innermost first, or the innermost of them.
struct captured_stack {
    static constexpr std::size_t capacity = most_frames + 16;

    std::size_t count = 0;
    void* frames[capacity] = {};

    void take() noexcept {
        using capture = unsigned short __stdcall(unsigned long, unsigned long, void**,
                                                 unsigned long*);
        static capture* const system =
            api::find_function<capture>(L"kernel32.dll", "RtlCaptureStackBackTrace");
        count = system != nullptr ? system(0, capacity, frames, nullptr) : 0;
    }
};

/// The last throw of this thread in the call that is watched, if one is.
struct throw_trail {
    bool is_watching = false;
    /// How many calls of the C++ runtime are between the throw and the system.
    std::size_t runtime_calls = 0;
    captured_stack stack;
};

inline throw_trail& last_throw() noexcept {
    thread_local throw_trail trail;
    return trail;
}

// As the system lays them out.
struct exception_description {
    api::dword code;
};
struct exception_pointers {
    const exception_description* description;
    void* context;
};

/// Called for every exception of the process, in the thread that throws, before a handler is
/// looked for.
inline long __stdcall note_throw(exception_pointers* exception) {
    constexpr api::dword thrown_by_msvc = 0xE06D7363;
    constexpr api::dword thrown_by_gcc = 0x20474343;
    const api::dword code = exception->description->code;
    if ((code == thrown_by_msvc || code == thrown_by_gcc) && last_throw().is_watching) {
        last_throw().runtime_calls = code == thrown_by_gcc ? 2 : 1;
        last_throw().stack.take();
    }
    return 0;  // Look further.
}

inline bool note_all_throws() noexcept {
    using add = void* __stdcall(unsigned long, long(__stdcall*)(exception_pointers*));
    auto* const handle = api::find_function<add>(L"kernel32.dll", "AddVectoredExceptionHandler");
    return handle != nullptr && handle(1, note_throw) != nullptr;
}

class throw_watch {
public:
    throw_watch() noexcept {
        static const bool noted = note_all_throws();
        last_throw().stack.count = 0;
        last_throw().is_watching = noted;
    }
    throw_watch(const throw_watch&) = delete;
    throw_watch& operator=(const throw_watch&) = delete;
    ~throw_watch() { last_throw().is_watching = false; }
};

template <class Call>
void watch_throws(Call&& call) {
    const throw_watch now;
    call();
    last_throw().stack.count = 0;
}

inline api::module_handle module_of(const void* address) noexcept {
    constexpr api::dword by_address_unheld = 4 | 2;
    api::module_handle module{};
    api::GetModuleHandleExW(by_address_unheld, static_cast<const wchar_t*>(address), &module);
    return module;
}

inline std::string module_path(api::module_handle module) {
    std::wstring path(32768, L'\0');  // No path is longer.
    path.resize(api::GetModuleFileNameW(module, path.data(), static_cast<api::dword>(path.size())));
    return to_utf8(path);
}

inline std::string describe_code(const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    const api::module_handle module = module_of(address);
    if (module == api::module_handle{})
        return frame_text("", "", place);
    return frame_text(module_path(module), "", place - reinterpret_cast<std::uintptr_t>(module));
}

/// The frames of the system and of the runtime that come first.
inline std::size_t frames_of_raising(const throw_trail& thrown) noexcept {
    constexpr std::size_t most_of_system = 12;
    const api::module_handle raiser = api::GetModuleHandleW(L"kernelbase.dll");
    for (std::size_t i = 0; i < thrown.stack.count && i < most_of_system; ++i)
        if (module_of(thrown.stack.frames[i]) == raiser)
            return i + 1 + thrown.runtime_calls;
    return 0;
}

/// The frames outside the watched call are those that this call has, too.
inline std::size_t end_of_call(const captured_stack& thrown) noexcept {
    captured_stack here;
    here.take();
    std::size_t end = thrown.count;
    for (std::size_t same = here.count;
         end != 0 && same != 0 && thrown.frames[end - 1] == here.frames[same - 1]; --same)
        --end;
    return end;
}

/// A throw that was caught within the call, in the destructor of an object that the exception on
/// its way out destroys, is told in its stead: it came last.
inline std::vector<std::string> stack_of_throw() {
    const throw_trail& thrown = last_throw();
    std::vector<std::string> stack;
    const std::size_t end = end_of_call(thrown.stack);
    for (std::size_t i = frames_of_raising(thrown); i < end && stack.size() < most_frames; ++i)
        // What it returns to may belong to the next line or function already.
        stack.push_back(describe_code(static_cast<std::byte*>(thrown.stack.frames[i]) - 1));
    return stack;
}

}  // namespace multiprocessing::detail::windows
