// SPDX-License-Identifier: MIT
#include "support/processes.hpp"

#include <system_error>

#include "support/windows/api.hpp"

#include <tlhelp32.h>

namespace support {

namespace {

struct closed_handle {
    HANDLE value;
    ~closed_handle() { ::CloseHandle(value); }
};

[[noreturn]] void fail(const char* what) {
    throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what);
}

/// Calls a function of the system's that its headers do not show, on a process.
void call_on_process(const char* function, int pid) {
    const closed_handle process{
        ::OpenProcess(PROCESS_SUSPEND_RESUME, FALSE, static_cast<DWORD>(pid))};
    if (process.value == nullptr)
        fail("OpenProcess");
    using call = LONG(WINAPI*)(HANDLE);
    const auto address = ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), function);
    // Through void*, as the compiler asks for with functions of another type.
    reinterpret_cast<call>(reinterpret_cast<void*>(address))(process.value);
}

bool is_suspended(DWORD thread) {
    const closed_handle handle{::OpenThread(THREAD_SUSPEND_RESUME, FALSE, thread)};
    if (handle.value == nullptr)
        return false;
    const DWORD before = ::SuspendThread(handle.value);
    ::ResumeThread(handle.value);
    return before != 0 && before != static_cast<DWORD>(-1);
}

/// Whether it has threads and all of them are suspended.
bool is_stopped(int pid) {
    const closed_handle all{::CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0)};
    THREADENTRY32 entry{};
    entry.dwSize = sizeof entry;
    bool any = false;
    for (BOOL more = ::Thread32First(all.value, &entry); more;
         more = ::Thread32Next(all.value, &entry)) {
        if (entry.th32OwnerProcessID != static_cast<DWORD>(pid))
            continue;
        if (!is_suspended(entry.th32ThreadID))
            return false;
        any = true;
    }
    return any;
}

}  // namespace

bool is_gone(int pid) {
    const closed_handle process{::OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid))};
    return process.value == nullptr || ::WaitForSingleObject(process.value, 0) == WAIT_OBJECT_0;
}

bool is_reaped(int pid) {
    return is_gone(pid);
}

// The system counts stops, and wants as many continuations.
void stop_process(int pid) {
    if (is_stopped(pid))
        return;
    call_on_process("NtSuspendProcess", pid);
    await_stopped(pid);
}

void continue_process(int pid) {
    call_on_process("NtResumeProcess", pid);
}

void stop_this_process() {
    call_on_process("NtSuspendProcess", static_cast<int>(::GetCurrentProcessId()));
}

void await_stopped(int pid) {
    await([&] { return is_stopped(pid) || is_gone(pid); });
}

// There is nothing to ask. The tests that call this are right at any instant; it makes the one that
// they are about likely.
void await_sleep(int) {
    ::Sleep(30);
}

}  // namespace support
