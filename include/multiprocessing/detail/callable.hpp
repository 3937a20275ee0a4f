// SPDX-License-Identifier: MIT
// How callables cross: a thunk by its place in the program, a callable by its state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/os/image.hpp>
#include <multiprocessing/detail/registry.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// The place of a thunk, to be sent. The thunk is code of an image of this process.
inline image_place place_of_thunk(code_address thunk) {
    image_place place;
    if (!locate_code(thunk, place))
        throw PicklingError("a task's code is in no program or library that is loaded");
    return place;
}

/// The thunk that a message names; throws `PicklingError` where nothing here has entered itself into
/// the registry with that place.
inline code_address thunk_at(const image_place& place) {
    const code_address thunk = resolve_code(place);
    if (thunk == nullptr || !registry::instance().contains(thunk))
        throw PicklingError("a message names a function that is not in this program's registry: "
                            "image " +
                            std::to_string(place.image) + ", offset " +
                            std::to_string(place.offset) +
                            "; a pool that is made before main begins has workers that know the "
                            "functions of that moment only: make it in main");
    return thunk;
}

/// Where a function is: by the name it was registered with, or by its place in the image.
struct function_reference {
    std::string name;
    std::uint64_t image = 0;
    std::uint64_t offset = 0;
};

inline function_reference refer_to(code_address function) {
    if (const auto name = registry::instance().name_of(function); !name.empty())
        return {std::string(name), 0, 0};
    image_place place;
    if (function == nullptr || !locate_code(function, place))
        throw PicklingError("a function pointer that is null or points to no loaded code cannot "
                            "cross to another process");
    return {{}, place.image, place.offset};
}

inline code_address find_function(const function_reference& reference) {
    const code_address function =
        reference.name.empty() ? resolve_code({reference.image, reference.offset})
                               : registry::instance().function_of(reference.name);
    if (function == nullptr)
        throw PicklingError(reference.name.empty()
                                ? "a message names a function outside the code of this build: "
                                  "image " +
                                      std::to_string(reference.image) + ", offset " +
                                      std::to_string(reference.offset)
                                : "no function is registered here under the name '" +
                                      reference.name + "'");
    return function;
}

/// A plain function pointer, also as an argument or a member, crosses as a reference to the function.
template <class Function>
    requires std::is_function_v<Function>
struct codec<Function*> {
    static constexpr std::size_t min_bytes = codec<function_reference>::min_bytes;

    static void size(sizer& sizes, Function* const& function) {
        codec<function_reference>::size(sizes, refer_to(address_of(function)));
    }
    static void write(writer& out, Function* const& function) {
        codec<function_reference>::write(out, refer_to(address_of(function)));
    }
    static Function* read(decoder& in) {
        const code_address found = find_function(codec<function_reference>::read(in));
        return reinterpret_cast<Function*>(const_cast<void*>(found));
    }
};

}  // namespace multiprocessing::detail

/// Gives a function a name of its own: messages then name it so, and find it also where its place in
/// the program is another. At namespace scope, in one source file, for a function of that name.
#define MULTIPROCESSING_REGISTER(function)                                                         \
    namespace {                                                                                    \
    const ::multiprocessing::detail::registered_name multiprocessing_registered_##function{        \
        #function, ::multiprocessing::detail::address_of(&function)};                              \
    }                                                                                              \
    static_assert(true, "takes the semicolon")
