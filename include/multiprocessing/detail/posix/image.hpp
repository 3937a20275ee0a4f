// SPDX-License-Identifier: MIT
// Linux backend of detail/os/image.hpp: the ELF images of this process, by dl_iterate_phdr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <multiprocessing/detail/first_use.hpp>
#include <multiprocessing/detail/image_table.hpp>
#include <multiprocessing/detail/posix/fork.hpp>
#include <multiprocessing/detail/posix/system.hpp>

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

using detail::image_place;

/// The linker's build-id where there is one; else the shape of all segments has to do.
inline void add_identity(hash64& hash, const ::dl_phdr_info& info) noexcept {
    for (const auto* header = info.dlpi_phdr; header != info.dlpi_phdr + info.dlpi_phnum;
         ++header) {
        hash.add(header, sizeof *header);
        if (header->p_type == PT_NOTE)
            hash.add(reinterpret_cast<const void*>(info.dlpi_addr + header->p_vaddr),
                     header->p_filesz);
    }
}

inline loaded_image describe_image(const ::dl_phdr_info& info) noexcept {
    hash64 hash;
    const std::string_view path = info.dlpi_name != nullptr ? info.dlpi_name : "";
    const std::string_view name = path.substr(path.rfind('/') + 1);
    hash.add(name.data(), name.size());
    add_identity(hash, info);
    loaded_image image{info.dlpi_addr, hash.value(), 0, 0};
    for (const auto* header = info.dlpi_phdr; header != info.dlpi_phdr + info.dlpi_phnum;
         ++header) {
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            image.code_begin = info.dlpi_addr + header->p_vaddr;
            image.code_end = image.code_begin + header->p_memsz;
        }
    }
    return image;
}

inline std::vector<loaded_image> loaded_images() {
    std::vector<loaded_image> images;
    const std::lock_guard lock(loader_mutex());
    ::dl_iterate_phdr(
        [](::dl_phdr_info* info, std::size_t, void* list) {
            static_cast<std::vector<loaded_image>*>(list)->push_back(describe_image(*info));
            return 0;
        },
        &images);
    return images;
}

/// What is loaded now; dl_iterate_phdr names the program first.
inline image_table& loaded_image_table() {
    static constinit first_use<image_table> table;
    return table.get([] { return image_table(loaded_images); });
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

/// The magic link first: it starts the very file that runs here, also if it was replaced or
/// removed.
inline std::vector<std::string> own_program() {
    std::vector<std::string> paths{"/proc/self/exe"};
    if (const auto* name = reinterpret_cast<const char*>(::getauxval(AT_EXECFN)))
        paths.emplace_back(name);
    return paths;
}

/// The arguments this program was started with, as the system knows them.
inline std::vector<std::string> own_arguments() {
    std::string text = read_text("/proc/self/cmdline");
    std::vector<std::string> arguments;
    for (std::size_t at = 0; at < text.size();) {
        arguments.emplace_back(text.c_str() + at);
        at += arguments.back().size() + 1;
    }
    return arguments;
}

inline std::string own_name(const char* argv0) {
    return argv0;
}

}  // namespace multiprocessing::detail::posix
