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

#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/posix/system.hpp>

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

/// Where an address is, in a way that another process of the same build understands.
struct image_place {
    std::uint64_t image = 0;
    std::uint64_t offset = 0;
};

class hash64 {  // FNV-1a
public:
    void add(const void* data, std::size_t bytes) noexcept {
        for (std::size_t i = 0; i < bytes; ++i)
            value_ = (value_ ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3U;
    }
    std::uint64_t value() const noexcept { return value_; }

private:
    std::uint64_t value_ = 0xcbf29ce484222325U;
};

struct loaded_image {
    std::uintptr_t base = 0;
    std::uint64_t key = 0;
    std::uintptr_t code_begin = 0;
    std::uintptr_t code_end = 0;
};

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

/// What is loaded now; looked through again when an address or a key is not among what is known.
class image_table {
public:
    static image_table& instance() {
        static image_table* const table = new image_table;  // Never destroyed: used until the end.
        return *table;
    }

    bool locate(const void* address, image_place& place) {
        const auto value = reinterpret_cast<std::uintptr_t>(address);
        return look_up(
            [&](const loaded_image& image) {
                return value >= image.code_begin && value < image.code_end;
            },
            [&](const loaded_image& image) {
                place = {image.key, value - image.base};
            });
    }

    const void* resolve(const image_place& place) {
        const void* address = nullptr;
        look_up([&](const loaded_image& image) { return image.key == place.image; },
                [&](const loaded_image& image) {
                    const std::uintptr_t value = image.base + place.offset;
                    if (value >= image.code_begin && value < image.code_end)
                        address = reinterpret_cast<const void*>(value);
                });
        return address;
    }

    /// The program's own key: dl_iterate_phdr names it first.
    std::uint64_t program() const noexcept { return program_; }

private:
    image_table() : images_(loaded_images()), program_(images_.front().key) {}

    template <class Matches, class Use>
    bool look_up(Matches matches, Use use) {
        if (look_up_known(matches, use))
            return true;
        auto images = loaded_images();  // The loader has a lock of its own: not under ours.
        {
            const std::lock_guard lock(library_mutex());
            images_.swap(images);
        }
        return look_up_known(matches, use);
    }

    template <class Matches, class Use>
    bool look_up_known(Matches& matches, Use& use) {
        const std::lock_guard lock(library_mutex());
        for (const loaded_image& image : images_) {
            if (matches(image)) {
                use(image);
                return true;
            }
        }
        return false;
    }

    static std::vector<loaded_image> loaded_images() {
        std::vector<loaded_image> images;
        ::dl_iterate_phdr(
            [](::dl_phdr_info* info, std::size_t, void* list) {
                static_cast<std::vector<loaded_image>*>(list)->push_back(describe_image(*info));
                return 0;
            },
            &images);
        return images;
    }

    std::vector<loaded_image> images_;
    std::uint64_t program_;
};

inline bool locate_code(const void* address, image_place& place) {
    return image_table::instance().locate(address, place);
}

inline const void* resolve_code(const image_place& place) {
    return image_table::instance().resolve(place);
}

inline std::uint64_t program_fingerprint() {
    return image_table::instance().program();
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

}  // namespace multiprocessing::detail::posix
