// SPDX-License-Identifier: MIT
// Windows backend of detail/os/streams.hpp.
#pragma once

#include <cstdint>
#include <cstdio>
#include <streambuf>

#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/pipe.hpp>

#include <fcntl.h>
#include <io.h>

namespace multiprocessing::detail::windows {

/// C's descriptor, and with it the system's own standard error.
inline void redirect_standard_error(native_handle object) noexcept {
    handle copy;
    if (duplicate(object, copy))
        return;  // On failure it stays what it was.
    const int stream = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(to_system(copy.get())), 0);
    if (stream == -1)
        return;
    copy.release();
    ::_dup2(stream, 2);
    ::_close(stream);
}

inline bool standard_error_is_terminal() noexcept {
    return ::_isatty(2) != 0;
}

/// Below C's descriptor as well as the system's own standard input.
inline void detach_input() noexcept {
    handle nothing;
    if (open_null(nothing))
        return;  // Without a null device the child keeps the parent's input.
    const int stream = ::_open_osfhandle(nothing.get(), _O_RDONLY | _O_BINARY);
    if (stream == -1)
        return;
    nothing.release();
    if (stream != 0) {
        ::_dup2(stream, 0);
        ::_close(stream);
    }
}

/// No process is a copy of another here, so nothing of another's is ever there.
inline void drop_buffers() noexcept {}

/// What a stream holds C does not tell; that nothing of it is written between two starts matters
/// only where a process is copied.
inline bool holds_output(std::FILE*) noexcept {
    return true;
}
inline bool passes_on_to_c(std::streambuf&) noexcept {
    return false;
}

}  // namespace multiprocessing::detail::windows
