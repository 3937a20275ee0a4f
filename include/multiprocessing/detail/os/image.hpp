// SPDX-License-Identifier: MIT
// Seam: the program and libraries that are loaded, and addresses of code that mean the same
// elsewhere.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/image.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/image.hpp>
#endif

namespace multiprocessing::detail {

/// An address of code as an image (program or library, by name and build) and an offset in it:
/// addresses differ from run to run, places do not.
using backend::image_place;

/// locate_code(address, place): false if the address is in no image's code.
/// resolve_code(place): the address here; null if the image is not loaded, is another build, or the
/// offset is outside its code.
/// program_fingerprint(): equal in two processes only if they run the same build of the program.
/// own_program(): the paths to start this program again by, in the order to try them.
/// own_arguments(): what this program was started with, also where main has not been given it.
/// own_name(argv0): the first of them, which main was given as `argv0`, in UTF-8.
/// All are thread-safe.
using backend::locate_code;
using backend::own_arguments;
using backend::own_name;
using backend::own_program;
using backend::program_fingerprint;
using backend::resolve_code;

template <class Place>
concept image_contract = std::regular<decltype(Place::image)> &&
    requires(const void* address, Place place, const Place constant) {
    { locate_code(address, place) } -> std::same_as<bool>;
    { resolve_code(constant) } -> std::same_as<const void*>;
    { program_fingerprint() } -> std::same_as<std::uint64_t>;
    { own_program() } -> std::same_as<std::vector<std::string>>;
    { own_name("") } -> std::same_as<std::string>;
};
static_assert(image_contract<image_place>);

}  // namespace multiprocessing::detail
