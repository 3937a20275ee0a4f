// SPDX-License-Identifier: MIT
#include "support/windows/leftovers.hpp"

#include <cstdint>

#include "support/windows/api.hpp"

#include <tlhelp32.h>

namespace support {

namespace {

/// Asks for each number, up to where none has been used for long: Wine gives the lowest that is
/// free.
std::size_t count_one_by_one() {
    constexpr std::uintptr_t step = 4;
    constexpr std::uintptr_t long_gap = 1024 * step;
    std::size_t count = 0;
    for (std::uintptr_t number = step, last = 0; number < last + long_gap; number += step) {
        DWORD flags = 0;
        if (::GetHandleInformation(reinterpret_cast<HANDLE>(number), &flags) == 0)
            continue;
        last = number;
        ++count;
    }
    return count;
}

}  // namespace

std::size_t count_handles() {
    DWORD count = 0;
    ::GetProcessHandleCount(::GetCurrentProcess(), &count);
    // Wine 8 answers 0. The list of all handles is not asked for: its server does not survive that
    // while a program starts, and takes every program of the prefix with it, with exit code 0.
    return count != 0 ? count : count_one_by_one();
}

std::set<int> children() {
    std::set<int> found;
    const HANDLE all = ::CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32W entry{};
    entry.dwSize = sizeof entry;
    for (BOOL more = ::Process32FirstW(all, &entry); more; more = ::Process32NextW(all, &entry))
        if (entry.th32ParentProcessID == ::GetCurrentProcessId())
            found.insert(static_cast<int>(entry.th32ProcessID));
    ::CloseHandle(all);
    return found;
}

}  // namespace support
