// SPDX-License-Identifier: MIT
// Windows backend of detail/os/image.hpp: the modules of the process, by the headers of their
// files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/image_table.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/system.hpp>
#include <multiprocessing/detail/windows/text.hpp>

namespace multiprocessing::detail::windows {

using detail::image_place;

/// Reads the headers of a module where it is loaded; the offsets are those of the file format, "PE
/// Format" in Microsoft's manual.
class module_headers {
public:
    explicit module_headers(const void* base) noexcept
        : base_(static_cast<const std::byte*>(base)),
          start_(base_ + number<std::uint32_t>(base_ + 0x3C)) {}

    std::uint32_t time() const noexcept { return number<std::uint32_t>(start_ + 8); }
    std::uint32_t entry() const noexcept { return number<std::uint32_t>(start_ + 24 + 16); }
    std::uint32_t bytes() const noexcept { return number<std::uint32_t>(start_ + 24 + 56); }
    std::uint32_t checksum() const noexcept { return number<std::uint32_t>(start_ + 24 + 64); }
    std::size_t sections() const noexcept { return number<std::uint16_t>(start_ + 6); }

    static constexpr std::size_t section_bytes = 40;
    const std::byte* section(std::size_t i) const noexcept {
        return start_ + 24 + number<std::uint16_t>(start_ + 20) + i * section_bytes;
    }
    const std::byte* section_begin(std::size_t i) const noexcept {
        return base_ + number<std::uint32_t>(section(i) + 12);
    }
    std::size_t section_size(std::size_t i) const noexcept {
        return number<std::uint32_t>(section(i) + 8);
    }
    bool holds_code(std::size_t i) const noexcept {
        constexpr std::uint32_t executable = 0x20000000;
        return (number<std::uint32_t>(section(i) + 36) & executable) != 0;
    }

private:
    template <class Number>
    static Number number(const std::byte* at) noexcept {
        Number value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }

    const std::byte* base_;
    const std::byte* start_;
};

/// The time of the link and the checksum, or the code itself where the linker was asked to leave
/// out what differs from build to build. The address that the file wishes for is left out: the
/// loader writes the real one over it.
inline void add_identity(hash64& hash, const module_headers& module) noexcept {
    const std::uint32_t numbers[] = {module.time(), module.entry(), module.bytes(),
                                     module.checksum()};
    hash.add(numbers, sizeof numbers);
    for (std::size_t i = 0; i < module.sections(); ++i) {
        hash.add(module.section(i), module_headers::section_bytes);
        if (module.time() == 0 && module.holds_code(i))
            hash.add(module.section_begin(i), module.section_size(i));
    }
}

inline loaded_image describe_image(const void* base) noexcept {
    const module_headers module(base);
    hash64 hash;
    add_identity(hash, module);
    loaded_image image{reinterpret_cast<std::uintptr_t>(base), hash.value(), 0, 0};
    for (std::size_t i = 0; i < module.sections(); ++i) {
        if (!module.holds_code(i))
            continue;
        const auto begin = reinterpret_cast<std::uintptr_t>(module.section_begin(i));
        const std::uintptr_t end = begin + module.section_size(i);
        const bool first = image.code_begin == 0;
        image.code_begin = first || begin < image.code_begin ? begin : image.code_begin;
        image.code_end = first || end > image.code_end ? end : image.code_end;
    }
    return image;
}

/// Keeps a module loaded while it is read; false if it has gone already.
class module_hold {
public:
    explicit module_hold(api::module_handle module) noexcept {
        constexpr api::dword by_address = 4;
        held_ = api::GetModuleHandleExW(by_address, reinterpret_cast<const wchar_t*>(module),
                                        &module_) != 0;
    }
    module_hold(const module_hold&) = delete;
    module_hold& operator=(const module_hold&) = delete;
    ~module_hold() {
        if (held_)
            api::FreeLibrary(module_);  // It could be held.
    }
    explicit operator bool() const noexcept { return held_; }

private:
    bool held_ = false;
    api::module_handle module_{};
};

/// The system lists the program first.
inline std::vector<loaded_image> loaded_images() {
    std::vector<api::module_handle> modules(256);
    for (;;) {
        const auto bytes = static_cast<api::dword>(modules.size() * sizeof(api::module_handle));
        api::dword needed = 0;
        if (api::K32EnumProcessModules(api::GetCurrentProcess(), modules.data(), bytes, &needed) ==
            0)
            needed = 0;
        const std::size_t count = needed / sizeof(api::module_handle);
        const bool complete = count <= modules.size();
        modules.resize(count);
        if (complete)
            break;
    }
    if (modules.empty())  // While the loader is changing the list the system may refuse.
        modules.push_back(api::GetModuleHandleW(nullptr));
    std::vector<loaded_image> images;
    for (const api::module_handle module : modules)
        if (const module_hold hold(module); hold)
            images.push_back(describe_image(module));
    return images;
}

inline image_table& loaded_image_table() {
    static image_table* const table =
        new image_table(loaded_images);  // Never destroyed: used until the end.
    return *table;
}

inline bool locate_code(const void* address, image_place& place) {
    return loaded_image_table().locate(address, place);
}

inline const void* resolve_code(const image_place& place) {
    return loaded_image_table().resolve(place);
}

inline std::uint64_t program_fingerprint() {
    return loaded_image_table().program();
}

inline std::vector<std::string> own_program() {
    return {own_program_path()};
}

inline std::vector<std::string> own_arguments() {
    return split_windows_command_line(to_utf8(api::GetCommandLineW()));
}

/// What main is given may be in any of the system's old encodings.
inline std::string own_name(const char*) {
    return own_arguments().front();
}

}  // namespace multiprocessing::detail::windows
