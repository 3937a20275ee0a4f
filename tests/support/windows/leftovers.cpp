// SPDX-License-Identifier: MIT
#include "support/windows/leftovers.hpp"

#include "support/windows/api.hpp"

#include <tlhelp32.h>

namespace support {

std::size_t count_handles() {
    DWORD count = 0;
    ::GetProcessHandleCount(::GetCurrentProcess(), &count);
    return count;
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
