// SPDX-License-Identifier: MIT
// The functions of Windows that the backend calls, declared here so that no user of the library
// gets <windows.h> with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

// <windows.h> brings some ten thousand names, macros such as min, max, small and near among them,
// and means something else with each set of macros before it. So it is not included; the few
// functions that are needed are declared, with C's linkage and the very types of the system's own
// headers. A function of C's linkage that two namespaces declare is one function, so <windows.h>
// may come before, after or never: tests compile all three, with and without NOMINMAX and STRICT.
//
// What a declaration needs to match the system's:
// - structures are named by the system's tags, which are declared here and defined there; the
//   backend has its own of the same layout (struct overlapped below) and converts the pointer;
// - an enumeration without an underlying type cannot be declared ahead: functions that take one
//   are looked up when the program runs, as are those of ntdll, for which users would have to link
//   a library;
// - calling convention and dllimport are the system's; they mean nothing to 64-bit code.

struct _OVERLAPPED;
struct _SECURITY_ATTRIBUTES;
struct _STARTUPINFOW;
struct _PROCESS_INFORMATION;
struct _PROC_THREAD_ATTRIBUTE_LIST;
struct _MEMORY_BASIC_INFORMATION;
struct _FILETIME;
#if !defined(NO_STRICT)
struct HINSTANCE__;
#endif

namespace multiprocessing::detail::windows::api {

using handle_value = void*;
using dword = unsigned long;
using size_type = std::conditional_t<sizeof(void*) == 8, unsigned long long, unsigned long>;
using procedure_result = std::conditional_t<sizeof(void*) == 8, long long, int>;
using procedure = procedure_result(__stdcall*)();
#if defined(NO_STRICT)
using module_handle = void*;
#else
using module_handle = ::HINSTANCE__*;
#endif
using storage_callback = void(__stdcall*)(void*);
using control_handler = int(__stdcall*)(dword);
using wait_callback = void(__stdcall*)(void*, unsigned char);

#define MULTIPROCESSING_WINDOWS_CALL __declspec(dllimport)

extern "C" {
// Handles and waits.
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetLastError();
MULTIPROCESSING_WINDOWS_CALL int __stdcall CloseHandle(handle_value);
MULTIPROCESSING_WINDOWS_CALL int __stdcall DuplicateHandle(handle_value, handle_value, handle_value,
                                                           handle_value*, dword, int, dword);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetHandleInformation(handle_value, dword*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall SetHandleInformation(handle_value, dword, dword);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetFileType(handle_value);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall GetStdHandle(dword);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall WaitForSingleObject(handle_value, dword);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall WaitForMultipleObjects(dword, const handle_value*, int,
                                                                    dword);
MULTIPROCESSING_WINDOWS_CALL int __stdcall RegisterWaitForSingleObject(handle_value*, handle_value,
                                                                       wait_callback, void*,
                                                                       unsigned long,
                                                                       unsigned long);
MULTIPROCESSING_WINDOWS_CALL int __stdcall UnregisterWaitEx(handle_value, handle_value);
MULTIPROCESSING_WINDOWS_CALL int __stdcall SwitchToThread();
MULTIPROCESSING_WINDOWS_CALL void __stdcall Sleep(dword);

MULTIPROCESSING_WINDOWS_CALL dword __stdcall FlsAlloc(storage_callback);
MULTIPROCESSING_WINDOWS_CALL void* __stdcall FlsGetValue(dword);
MULTIPROCESSING_WINDOWS_CALL int __stdcall FlsSetValue(dword, void*);

// Events and mutexes.
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateEventW(::_SECURITY_ATTRIBUTES*, int, int,
                                                                 const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall SetEvent(handle_value);
MULTIPROCESSING_WINDOWS_CALL int __stdcall ResetEvent(handle_value);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateMutexW(::_SECURITY_ATTRIBUTES*, int,
                                                                 const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall OpenMutexW(dword, int, const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall ReleaseMutex(handle_value);

// Pipes and files.
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateNamedPipeW(const wchar_t*, dword, dword,
                                                                     dword, dword, dword, dword,
                                                                     ::_SECURITY_ATTRIBUTES*);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateFileW(const wchar_t*, dword, dword,
                                                                ::_SECURITY_ATTRIBUTES*, dword,
                                                                dword, handle_value);
MULTIPROCESSING_WINDOWS_CALL int __stdcall ReadFile(handle_value, void*, dword, dword*,
                                                    ::_OVERLAPPED*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall WriteFile(handle_value, const void*, dword, dword*,
                                                     ::_OVERLAPPED*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetOverlappedResult(handle_value, ::_OVERLAPPED*, dword*,
                                                               int);
MULTIPROCESSING_WINDOWS_CALL int __stdcall CancelIoEx(handle_value, ::_OVERLAPPED*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall PeekNamedPipe(handle_value, void*, dword, dword*, dword*,
                                                         dword*);

// Memory.
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateFileMappingW(handle_value,
                                                                       ::_SECURITY_ATTRIBUTES*,
                                                                       dword, dword, dword,
                                                                       const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL void* __stdcall MapViewOfFile(handle_value, dword, dword, dword,
                                                           size_type);
MULTIPROCESSING_WINDOWS_CALL int __stdcall UnmapViewOfFile(const void*);
MULTIPROCESSING_WINDOWS_CALL void* __stdcall VirtualAlloc(void*, size_type, dword, dword);
MULTIPROCESSING_WINDOWS_CALL
size_type __stdcall VirtualQuery(const void*, ::_MEMORY_BASIC_INFORMATION*, size_type);

// Processes.
MULTIPROCESSING_WINDOWS_CALL int __stdcall CreateProcessW(const wchar_t*, wchar_t*,
                                                          ::_SECURITY_ATTRIBUTES*,
                                                          ::_SECURITY_ATTRIBUTES*, int, dword,
                                                          void*, const wchar_t*, ::_STARTUPINFOW*,
                                                          ::_PROCESS_INFORMATION*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall InitializeProcThreadAttributeList(
    ::_PROC_THREAD_ATTRIBUTE_LIST*, dword, dword, size_type*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall UpdateProcThreadAttribute(::_PROC_THREAD_ATTRIBUTE_LIST*,
                                                                     dword, size_type, void*,
                                                                     size_type, void*, size_type*);
MULTIPROCESSING_WINDOWS_CALL void __stdcall DeleteProcThreadAttributeList(
    ::_PROC_THREAD_ATTRIBUTE_LIST*);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall CreateJobObjectW(::_SECURITY_ATTRIBUTES*,
                                                                     const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall AssignProcessToJobObject(handle_value, handle_value);
MULTIPROCESSING_WINDOWS_CALL int __stdcall SetConsoleCtrlHandler(control_handler, int);
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall GetCurrentProcess();
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetCurrentProcessId();
MULTIPROCESSING_WINDOWS_CALL handle_value __stdcall OpenProcess(dword, int, dword);
MULTIPROCESSING_WINDOWS_CALL int __stdcall TerminateProcess(handle_value, unsigned int);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetExitCodeProcess(handle_value, dword*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetProcessTimes(handle_value, ::_FILETIME*, ::_FILETIME*,
                                                           ::_FILETIME*, ::_FILETIME*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GenerateConsoleCtrlEvent(dword, dword);
MULTIPROCESSING_WINDOWS_CALL int __stdcall QueryFullProcessImageNameW(handle_value, dword, wchar_t*,
                                                                      dword*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetProcessAffinityMask(handle_value, size_type*,
                                                                  size_type*);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetActiveProcessorCount(unsigned short);

// Texts.
MULTIPROCESSING_WINDOWS_CALL int __stdcall MultiByteToWideChar(unsigned int, dword, const char*,
                                                               int, wchar_t*, int);
MULTIPROCESSING_WINDOWS_CALL int __stdcall WideCharToMultiByte(unsigned int, dword, const wchar_t*,
                                                               int, char*, int, const char*, int*);
MULTIPROCESSING_WINDOWS_CALL wchar_t* __stdcall GetCommandLineW();
MULTIPROCESSING_WINDOWS_CALL wchar_t* __stdcall GetEnvironmentStringsW();
MULTIPROCESSING_WINDOWS_CALL int __stdcall FreeEnvironmentStringsW(wchar_t*);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetEnvironmentVariableW(const wchar_t*, wchar_t*,
                                                                     dword);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetCurrentDirectoryW(dword, wchar_t*);
MULTIPROCESSING_WINDOWS_CALL unsigned int __stdcall GetSystemDirectoryW(wchar_t*, unsigned int);
MULTIPROCESSING_WINDOWS_CALL unsigned int __stdcall GetWindowsDirectoryW(wchar_t*, unsigned int);

// Modules, and the rest by name.
MULTIPROCESSING_WINDOWS_CALL module_handle __stdcall GetModuleHandleW(const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL module_handle __stdcall LoadLibraryW(const wchar_t*);
MULTIPROCESSING_WINDOWS_CALL int __stdcall FreeLibrary(module_handle);
MULTIPROCESSING_WINDOWS_CALL int __stdcall GetModuleHandleExW(dword, const wchar_t*,
                                                              module_handle*);
MULTIPROCESSING_WINDOWS_CALL dword __stdcall GetModuleFileNameW(module_handle, wchar_t*, dword);
MULTIPROCESSING_WINDOWS_CALL procedure __stdcall GetProcAddress(module_handle, const char*);
// Its header, <psapi.h>, does not say dllimport.
int __stdcall K32EnumProcessModules(handle_value, module_handle*, dword, dword*);
}

#undef MULTIPROCESSING_WINDOWS_CALL

/// A function of a library that every process has loaded; null if this system's has none.
template <class Function>
Function* find_function(const wchar_t* library, const char* name) noexcept {
    const module_handle module = GetModuleHandleW(library);
    const procedure found = module != nullptr ? GetProcAddress(module, name) : nullptr;
    return reinterpret_cast<Function*>(reinterpret_cast<void*>(found));
}

inline constexpr dword infinite = 0xFFFFFFFF;
inline constexpr dword wait_timed_out = 258;
inline constexpr dword wait_failed = 0xFFFFFFFF;
inline constexpr dword wait_abandoned = 0x80;
inline constexpr dword most_wait_objects = 64;

inline constexpr dword error_file_not_found = 2;
inline constexpr dword error_path_not_found = 3;
inline constexpr dword error_access_denied = 5;
inline constexpr dword error_invalid_handle = 6;
inline constexpr dword error_invalid_drive = 15;
inline constexpr dword error_not_ready = 21;
inline constexpr dword error_bad_network_path = 53;
inline constexpr dword error_bad_device_type = 66;
inline constexpr dword error_bad_network_name = 67;
inline constexpr dword error_invalid_parameter = 87;
inline constexpr dword error_broken_pipe = 109;
inline constexpr dword error_invalid_name = 123;
inline constexpr dword error_bad_path_name = 161;
inline constexpr dword error_already_exists = 183;
inline constexpr dword error_bad_exe_format = 193;
inline constexpr dword error_no_data = 232;
inline constexpr dword error_pipe_not_connected = 233;
inline constexpr dword error_more_data = 234;
inline constexpr dword error_directory = 267;
inline constexpr dword error_operation_aborted = 995;
inline constexpr dword error_io_pending = 997;
inline constexpr dword error_commitment_limit = 1455;

/// The system's OVERLAPPED: one operation under way.
struct overlapped {
    std::uintptr_t internal = 0;
    std::uintptr_t internal_high = 0;
    std::uint32_t offset = 0;
    std::uint32_t offset_high = 0;
    handle_value event = nullptr;

    ::_OVERLAPPED* get() noexcept { return reinterpret_cast<::_OVERLAPPED*>(this); }
};
static_assert(sizeof(overlapped) == (sizeof(void*) == 8 ? 32 : 20));

/// The system's MEMORY_BASIC_INFORMATION, but for the number of a partition that 64-bit systems
/// have where there is a gap here.
struct memory_information {
    void* base = nullptr;
    void* allocation_base = nullptr;
    dword allocation_protection = 0;
    size_type bytes = 0;
    dword state = 0;
    dword protection = 0;
    dword type = 0;
};

inline constexpr dword memory_commit = 0x1000;
inline constexpr dword memory_reset = 0x80000;
inline constexpr dword memory_image = 0x1000000;
inline constexpr dword page_read_write = 4;

/// What the system says of the pages from `address` on; false if nothing is there.
inline bool query_memory(const void* address, memory_information& found) noexcept {
    return VirtualQuery(address, reinterpret_cast<::_MEMORY_BASIC_INFORMATION*>(&found),
                        sizeof found) != 0;
}

}  // namespace multiprocessing::detail::windows::api
