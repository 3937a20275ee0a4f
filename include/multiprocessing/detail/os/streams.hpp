// SPDX-License-Identifier: MIT
// Seam: this process' standard input, output and error, as C and the system have them.
#pragma once

#include <concepts>
#include <cstdio>
#include <streambuf>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/streams.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/streams.hpp>
#endif

namespace multiprocessing::detail {

/// detach_input(): standard input reads as empty from now on.
/// redirect_standard_error(object): what is written there goes to that stream from now on.
/// standard_error_is_terminal(): whether somebody watches what is written there.
using backend::detach_input;
using backend::redirect_standard_error;
using backend::standard_error_is_terminal;

/// holds_output(file): whether a stream of C's has, or may have, anything to be flushed.
/// passes_on_to_c(buffer): whether a buffer of C++'s is known to hold nothing, because it has C's
/// standard streams do so.
/// drop_buffers(): what C's standard streams hold is forgotten: in a copy of a process it is the
/// parent's, who has it still.
using backend::drop_buffers;
using backend::holds_output;
using backend::passes_on_to_c;

template <class File>
concept streams_contract = requires(File* file, std::streambuf& buffer) {
    { detach_input() }
    noexcept;
    { redirect_standard_error(standard_stream(2)) }
    noexcept;
    { standard_error_is_terminal() }
    noexcept->std::same_as<bool>;
    { holds_output(file) }
    noexcept->std::same_as<bool>;
    { passes_on_to_c(buffer) }
    noexcept->std::same_as<bool>;
    { drop_buffers() }
    noexcept;
};
static_assert(streams_contract<std::FILE>);

}  // namespace multiprocessing::detail
