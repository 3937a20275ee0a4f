// SPDX-License-Identifier: MIT
#include "support/windows/leftovers.hpp"

#include <algorithm>
#include <vector>

#include "support/windows/api.hpp"

#include <tlhelp32.h>

namespace support {

namespace {

/// A handle in the list that the system has of all.
struct listed_handle {
    ULONG process;
    UCHAR type;
    UCHAR flags;
    USHORT value;
    void* object;
    ULONG access;
};
struct list_head {
    ULONG count;
    listed_handle first;
};

std::size_t count_in_the_list_of_all() {
    using query = LONG(WINAPI*)(int, void*, ULONG, ULONG*);
    const auto ask = reinterpret_cast<query>(reinterpret_cast<void*>(
        ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation")));
    constexpr int handle_information = 16;
    std::vector<std::byte> answer(1 << 20);
    ULONG bytes = 0;
    while (ask(handle_information, answer.data(), static_cast<ULONG>(answer.size()), &bytes) != 0)
        answer.resize(answer.size() * 2);
    const auto& all = *reinterpret_cast<const list_head*>(answer.data());
    const auto mine = [](const listed_handle& each) {
        return each.process == ::GetCurrentProcessId();
    };
    return static_cast<std::size_t>(std::count_if(&all.first, &all.first + all.count, mine));
}

}  // namespace

std::size_t count_handles() {
    DWORD count = 0;
    ::GetProcessHandleCount(::GetCurrentProcess(), &count);
    return count != 0 ? count : count_in_the_list_of_all();  // Wine 8 answers 0.
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
