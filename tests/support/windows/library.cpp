// SPDX-License-Identifier: MIT
#include "support/windows/library.hpp"

#include "support/windows/api.hpp"

const void* support::function_of_a_library() {
    return reinterpret_cast<const void*>(
        ::GetProcAddress(::GetModuleHandleW(L"kernel32.dll"), "GetTickCount"));
}
