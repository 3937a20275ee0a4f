// SPDX-License-Identifier: MIT
#include "support/files.hpp"

#include <cstdint>

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

namespace support {

namespace mpd = multiprocessing::detail;

mpd::handle open_something() {
    return mpd::handle(mpd::native_handle(::CreateFileW(L"NUL", GENERIC_READ,
                                                        FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                                        OPEN_EXISTING, 0, nullptr)));
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

}  // namespace support
