// SPDX-License-Identifier: MIT
#include "support/files.hpp"

#include <cstdint>

#include "support/windows/api.hpp"

#include <io.h>

namespace support {

namespace mpd = multiprocessing::detail;

mpd::handle open_something() {
    return mpd::handle(
        mpd::native_handle(::CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                         nullptr, OPEN_EXISTING, 0, nullptr)));
}

bool is_open(mpd::native_handle object) {
    DWORD flags = 0;
    return ::GetHandleInformation(HANDLE(object), &flags) != 0;
}

mpd::native_handle never_opened() {
    // Beyond what the system ever numbers, and a multiple of four as all are.
    return mpd::native_handle(reinterpret_cast<HANDLE>(std::uintptr_t{0x3fffff0}));
}

bool is_inherited(mpd::native_handle object) {
    DWORD flags = 0;
    return ::GetHandleInformation(HANDLE(object), &flags) != 0 &&
           (flags & HANDLE_FLAG_INHERIT) != 0;
}

void make_inherited(mpd::native_handle object) {
    ::SetHandleInformation(HANDLE(object), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
}

// The C library makes the system's standard handles follow its own streams 0, 1 and 2.
closed_streams::closed_streams() {
    for (int fd = 0; fd < 3; ++fd)
        copies_[fd] = ::_dup(fd);
    for (int fd = 0; fd < 3; ++fd)
        ::_close(fd);
}

closed_streams::~closed_streams() {
    for (int fd = 0; fd < 3; ++fd) {
        ::_dup2(copies_[fd], fd);
        ::_close(copies_[fd]);
    }
}

}  // namespace support
