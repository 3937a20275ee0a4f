// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/streams.hpp.
#pragma once

#include <cstdio>
#include <streambuf>
#include <typeinfo>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/handle.hpp>

#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

#if defined(MULTIPROCESSING_LIBSTDCXX)
#include <ext/stdio_sync_filebuf.h>
#endif

namespace multiprocessing::detail::posix {

inline void redirect_standard_error(native_handle object) noexcept {
    ::dup2(object, 2);  // On failure it stays what it was.
}

inline bool standard_error_is_terminal() noexcept {
    return ::isatty(2) == 1;
}

/// Where the parent had no standard input, /dev/null opens as descriptor 0 and stays.
inline void detach_input() noexcept {
    handle nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (nothing.get() > 0)
        in_child.dup2(nothing.get(), 0);  // Without /dev/null the child keeps the parent's input.
    else if (nothing.get() == 0 && ::fcntl(0, F_SETFD, 0) == 0)
        nothing.release();
}

/// Asked without the stream's lock: what another thread is just writing counts or does not.
inline bool holds_output(std::FILE* file) noexcept {
    return ::__fpending(file) != 0;
}

/// Only the pointers into the buffers are reset; nothing is read, written or sought. Output is there
/// if another thread wrote it after it was flushed.
inline void drop_buffers() noexcept {
    in_child.purge(stdin);
    for (std::FILE* const file : {stdout, stderr})
        if (holds_output(file))
            in_child.purge(file);
}

#if defined(MULTIPROCESSING_LIBSTDCXX)
inline bool passes_on_to_c(std::streambuf& buffer) noexcept {
    using shared_with_c = __gnu_cxx::stdio_sync_filebuf<char>;
    if (typeid(buffer) != typeid(shared_with_c))
        return false;
    std::FILE* const file = static_cast<shared_with_c&>(buffer).file();
    return file == stdin || file == stdout || file == stderr;
}
#else
inline bool passes_on_to_c(std::streambuf&) noexcept {
    return false;
}
#endif

}  // namespace multiprocessing::detail::posix
