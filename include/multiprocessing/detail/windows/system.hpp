// SPDX-License-Identifier: MIT
// Windows backend of detail/os/system.hpp.
#pragma once

#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/job.hpp>
#include <multiprocessing/detail/windows/random.hpp>
#include <multiprocessing/detail/windows/text.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

#include <process.h>

namespace multiprocessing::detail::windows {

inline constexpr api::dword synchronize_access = 0x100000;
inline constexpr api::dword query_limited_access = 0x1000;

inline int process_id() noexcept {
    return static_cast<int>(api::GetCurrentProcessId());
}

/// The number of the process that made another; 0 if that cannot be known.
inline int parent_of(native_handle process) noexcept {
    using query = long __stdcall(api::handle_value, int, void*, unsigned long, unsigned long*);
    static query* const ask = api::find_function<query>(L"ntdll.dll", "NtQueryInformationProcess");
    struct {
        std::uintptr_t words[5];
        std::uintptr_t parent;
    } basic{};
    const bool known =
        ask != nullptr && ask(to_system(process), 0, &basic, sizeof basic, nullptr) >= 0;
    return known ? static_cast<int>(basic.parent) : 0;
}

inline int parent_process_id() noexcept {
    static const int parent = parent_of(from_system(api::GetCurrentProcess()));
    return parent;
}

inline std::error_code open_process_for(api::dword access, int pid, handle& process) noexcept {
    const auto ec = take_over(api::OpenProcess(access, 0, static_cast<api::dword>(pid)), process);
    const auto number = static_cast<api::dword>(ec.value());
    if (ec.category() == std::system_category() && number == api::error_invalid_parameter)
        return std::make_error_code(std::errc::no_such_process);
    if (ec.category() == std::system_category() && number == api::error_access_denied)
        return std::make_error_code(std::errc::operation_not_permitted);
    return ec;
}

/// A handle that becomes ready when that process has ended.
inline std::error_code open_process(int pid, handle& sentinel) noexcept {
    return open_process_for(synchronize_access | query_limited_access, pid, sentinel);
}

/// When a process was made, in the system's units; 0 if that cannot be known.
inline std::uint64_t birth_of(native_handle process) noexcept {
    std::uint64_t times[4] = {};
    const auto time = [&](int i) { return reinterpret_cast<::_FILETIME*>(&times[i]); };
    const bool known =
        api::GetProcessTimes(to_system(process), time(0), time(1), time(2), time(3)) != 0;
    return known ? times[0] : 0;
}

/// The number of the process that made this one may be another's by now; that one is younger than
/// this process.
inline std::error_code open_parent_process(int pid, handle& sentinel) noexcept {
    handle parent;
    if (const auto ec = open_process(pid, parent))
        return ec;
    if (birth_of(parent.get()) > birth_of(from_system(api::GetCurrentProcess())))
        return std::make_error_code(std::errc::no_such_process);
    sentinel = std::move(parent);
    return {};
}

[[noreturn]] inline void exit_now(int status) noexcept {
    ::_exit(status);
}

/// Waits for a child of this process that somebody still has a handle of. Any option means not to
/// wait: then `pid` is 0 where it runs.
inline std::error_code wait_process(int which, int options, int& pid, int& status) noexcept {
    if (which <= 0)  // The system does not tell which children there are.
        return std::make_error_code(std::errc::function_not_supported);
    handle process;
    if (const auto ec = open_process(which, process);
        ec || parent_of(process.get()) != process_id())
        return std::make_error_code(std::errc::no_child_process);
    bool ended = false;
    if (const auto ec =
            wait_for(process.get(), options == 0 ? deadline::never() : deadline::now(), ended))
        return ec;
    pid = ended ? which : 0;
    api::dword code = 0;
    const auto ec = ended ? error_unless(api::GetExitCodeProcess(to_system(process.get()), &code))
                          : std::error_code();
    status = static_cast<int>(code);
    return ec;
}

inline bool exit_code_of(int status, int& code) noexcept {
    code = status;
    return true;
}

/// As Python's os.kill: CTRL_C_EVENT (0) and CTRL_BREAK_EVENT (1) go to the process group of that
/// number, anything else ends the process with that exit code.
inline std::error_code kill_process(int pid, int signal) noexcept {
    constexpr api::dword terminate_access = 1;
    if (signal == 0 || signal == 1)
        return error_unless(api::GenerateConsoleCtrlEvent(static_cast<api::dword>(signal),
                                                          static_cast<api::dword>(pid)));
    handle process;
    if (const auto ec = open_process_for(terminate_access, pid, process))
        return ec;
    return error_unless(
        api::TerminateProcess(to_system(process.get()), static_cast<unsigned>(signal)));
}

/// The group ends with its leader, whose end closes the job, so nobody need know who else is in it.
/// Where the system refuses the job, what the leader starts is tied to it or on its own.
inline void lead_group() noexcept {
    static_cast<void>(enter_job_of_own());
    api::SetConsoleCtrlHandler(nullptr, 1);  // Without a console nothing is typed.
}

inline void signal_group(native_handle, int leader, int signal) noexcept {
    kill_process(leader, -signal);  // Fails where it has ended, and with it the group.
}

/// A thread is interrupted by nothing here.
template <class Body>
std::thread start_quiet_thread(Body body) {
    return std::thread(std::move(body));
}

/// Windows refuses memory instead of ending processes.
inline std::uint64_t out_of_memory_kills() noexcept {
    return 0;
}

inline int machine_cpus() noexcept {
    constexpr unsigned short all_groups = 0xFFFF;
    return static_cast<int>(api::GetActiveProcessorCount(all_groups));
}

/// The mask tells of one group of up to 64 processors. A process that uses all of its group uses
/// the others as well where the system has several.
inline int affinity_cpus() noexcept {
    api::size_type allowed = 0;
    api::size_type system = 0;
    if (api::GetProcessAffinityMask(api::GetCurrentProcess(), &allowed, &system) == 0)
        return 0;
    return allowed == system ? machine_cpus() : std::popcount(allowed);
}

/// The hard limit of the job that this process is in.
inline double quota_cpus() noexcept {
    using query = int __stdcall(api::handle_value, int, void*, api::dword, api::dword*);
    static query* const ask =
        api::find_function<query>(L"kernel32.dll", "QueryInformationJobObject");
    constexpr int cpu_rate_information = 15;
    constexpr api::dword enabled_hard_cap = 5;
    struct {
        api::dword flags;
        api::dword rate;  // Of all processors, in hundredths of a percent.
    } limit{};
    if (ask == nullptr || ask(nullptr, cpu_rate_information, &limit, sizeof limit, nullptr) == 0 ||
        (limit.flags & enabled_hard_cap) != enabled_hard_cap)
        return 0;
    return limit.rate / 10'000.0 * machine_cpus();
}

/// Windows knows six signals, in the C library only; SIGKILL is what `kill` gives as a reason. The
/// rest are exceptions that nobody handled: their code is the exit code.
inline std::string signal_name(int signal) {
    static constexpr std::pair<int, const char*> names[] = {
        {2, "SIGINT"},   {4, "SIGILL"},   {8, "SIGFPE"},    {9, "SIGKILL"},
        {11, "SIGSEGV"}, {15, "SIGTERM"}, {21, "SIGBREAK"}, {22, "SIGABRT"},
    };
    for (const auto& [number, name] : names)
        if (number == signal)
            return name;
    constexpr int first_exception = 0x10000000;
    if (signal < first_exception)
        return "signal " + std::to_string(signal);
    char text[32];
    std::snprintf(text, sizeof text, "exception 0x%08X", 0U - static_cast<unsigned>(signal));
    return text;
}

/// No process is a copy of another here, so nothing of another's is ever there to be let go of.
inline void disown_exit_handlers(void (*)()) noexcept {}
[[noreturn]] inline void end_forked_process(int status) noexcept {
    std::exit(status);
}

inline constexpr command_rules command_rules_here = windows_command_rules;

inline std::vector<std::string> current_environment() {
    std::vector<std::string> entries;
    wchar_t* const block = api::GetEnvironmentStringsW();
    for (const wchar_t* at = block; at != nullptr && *at != L'\0';) {
        const std::wstring_view entry(at);
        entries.push_back(to_utf8(entry));
        at += entry.size() + 1;
    }
    api::FreeEnvironmentStringsW(block);  // Nothing to do on failure: it is the system's.
    return entries;
}

inline std::string environment_variable(const wchar_t* name) {
    return text_from([name](wchar_t* buffer, unsigned units) {
        return api::GetEnvironmentVariableW(name, buffer, units);
    });
}

inline std::string own_program_path() {
    return text_from([](wchar_t* buffer, unsigned units) {
        api::dword length = units;
        const bool done =
            api::QueryFullProcessImageNameW(api::GetCurrentProcess(), 0, buffer, &length) != 0;
        return done ? length : 2 * units;
    });
}

/// Where programs are looked for: where this one is, the current directory, the system's, and those
/// of this process' PATH. Source: CreateProcessW in Microsoft's manual.
inline program_search search_for_programs() {
    const auto last = [](std::string path) { return path.substr(0, path.find_last_of("\\/") + 1); };
    program_search search;
    search.first = {last(own_program_path()), ".", text_from(api::GetSystemDirectoryW),
                    text_from(api::GetWindowsDirectoryW)};
    search.path = environment_variable(L"PATH");
    search.batch_shell = text_from(api::GetSystemDirectoryW) + "\\cmd.exe";
    search.shell = environment_variable(L"ComSpec");
    if (search.shell.empty())
        search.shell = search.batch_shell;
    return search;
}

/// The handles that a parent left open are taken over as such right afterwards, each by adopt().
inline void stop_inheritance() noexcept {}

}  // namespace multiprocessing::detail::windows
