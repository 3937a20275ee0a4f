// SPDX-License-Identifier: MIT
#include "support/windows/library.hpp"

#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

const void* support::function_of_a_library() {
    return reinterpret_cast<const void*>(
        ::GetProcAddress(::GetModuleHandleW(L"kernel32.dll"), "GetTickCount"));
}
