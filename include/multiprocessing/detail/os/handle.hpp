// SPDX-License-Identifier: MIT
// Seam: the system's name for an open object, owned, and the wait until one of several is ready.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/handle.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/ready.hpp>
#endif

namespace multiprocessing::detail {

/// A number or pointer by which the system knows an open object; a plain value that owns nothing.
using backend::native_handle;
using backend::no_handle;

/// Owns one handle and closes it. Children do not inherit it unless a launch names it. A copy of
/// this process has it, too, unless it is shielded (os/pipe.hpp), until `share_with_forks()`.
using backend::handle;

/// duplicate(source, copy): a second handle for the same object.
/// adopt(inherited, owner): takes over a handle that the parent left open for this process, and
/// stops it from being inherited further; an error if there is no such handle.
/// wait_ready(object, until, ready): waits until reading from it would not block, or, for a
/// process, until it has ended. An end of file counts as ready. wait_ready(objects, until, ready):
/// the same for several; `ready` holds the places of all that are.
/// standard_stream(which): what this process has as input (0), output (1) or error (2).
/// file_handle(file): the handle under a C stream; `no_handle` if there is none.
/// keep_from_forks(object), give_to_forks(object): whether copies of this process have it, where
/// there are copies. To be given back before it is closed.
using backend::adopt;
using backend::duplicate;
using backend::file_handle;
using backend::give_to_forks;
using backend::keep_from_forks;
using backend::standard_stream;
using backend::wait_ready;

template <class Handle, class Native>
concept handle_contract =
    std::movable<Handle> && !std::copyable<Handle> && std::regular<Native> &&
    requires(Handle h, const Handle c, Native n, const deadline& until, bool& flag,
             std::span<const Native> many, std::vector<std::size_t>& places, std::FILE* file) {
    Handle(n);
    { c.get() }
    noexcept->std::same_as<Native>;
    { h.release() }
    noexcept->std::same_as<Native>;
    { static_cast<bool>(c) }
    noexcept;
    h.reset();
    { h.share_with_forks() }
    noexcept;
    { duplicate(n, h) } -> std::same_as<std::error_code>;
    { adopt(n, h) } -> std::same_as<std::error_code>;
    { standard_stream(1) }
    noexcept->std::same_as<Native>;
    { file_handle(file) }
    noexcept->std::same_as<Native>;
    { wait_ready(n, until, flag) } -> std::same_as<std::error_code>;
    { wait_ready(many, until, places) } -> std::same_as<std::error_code>;
};
static_assert(handle_contract<handle, native_handle>);

}  // namespace multiprocessing::detail
