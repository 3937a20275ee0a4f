// SPDX-License-Identifier: MIT
// The images that are loaded, and the places in them; what they are the backends find out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <multiprocessing/detail/library_mutex.hpp>

namespace multiprocessing::detail {

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

/// What is loaded now; looked through again when an address or a key is not among what is known.
class image_table {
public:
    /// All images that are loaded, the program first.
    using list_images = std::vector<loaded_image> (*)();

    explicit image_table(list_images list)
        : list_(list), images_(list()), program_(images_.front().key) {}
    image_table(const image_table&) = delete;
    image_table& operator=(const image_table&) = delete;

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

    /// The program's own key.
    std::uint64_t program() const noexcept { return program_; }

private:
    template <class Matches, class Use>
    bool look_up(Matches matches, Use use) {
        if (look_up_known(matches, use))
            return true;
        auto images = list_();  // The loader has a lock of its own: not under ours.
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

    list_images list_;
    std::vector<loaded_image> images_;
    std::uint64_t program_;
};

}  // namespace multiprocessing::detail
