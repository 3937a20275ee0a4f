// SPDX-License-Identifier: MIT
// Windows backend of detail/os/system.hpp: what a process may use, and uses.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>

#include <io.h>

namespace multiprocessing::detail::windows {

/// The system's JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
struct job_limits {
    std::int64_t process_time;  // In tenths of a microsecond.
    std::int64_t job_time;
    api::dword flags;
    std::uintptr_t working_set[2];
    api::dword most_processes;
    std::uintptr_t affinity;
    api::dword classes[2];
    std::uint64_t transfers[6];
    std::uintptr_t process_memory;
    std::uintptr_t memory[3];
};

/// Puts this process into one more job, which stays for as long as it does. Its children are not in
/// that.
inline std::error_code limit_by_job(job_limits limits) noexcept {
    using set_information = int __stdcall(api::handle_value, int, void*, api::dword);
    using assign = int __stdcall(api::handle_value, api::handle_value);
    static set_information* const set =
        api::find_function<set_information>(L"kernel32.dll", "SetInformationJobObject");
    static assign* const enter =
        api::find_function<assign>(L"kernel32.dll", "AssignProcessToJobObject");
    constexpr int extended_limits = 9;
    constexpr api::dword silent_breakaway = 0x1000;
    if (set == nullptr || enter == nullptr)
        return std::make_error_code(std::errc::function_not_supported);
    limits.flags |= silent_breakaway;
    handle job;
    if (const auto ec = take_over(api::CreateJobObjectW(nullptr, nullptr), job))
        return ec;
    if (set(to_system(job.get()), extended_limits, &limits, sizeof limits) == 0 ||
        enter(to_system(job.get()), api::GetCurrentProcess()) == 0)
        return last_error();
    job.release();  // The job is there for as long as it has a member.
    return {};
}

inline std::error_code limit_memory(std::uint64_t bytes) noexcept {
    constexpr api::dword of_process_memory = 0x100;
    job_limits limits{};
    limits.flags = of_process_memory;
    limits.process_memory = static_cast<std::uintptr_t>(bytes);
    return limit_by_job(limits);
}

inline std::error_code limit_cpu_time(std::uint64_t seconds) noexcept {
    constexpr api::dword of_process_time = 0x2;
    constexpr std::int64_t ticks_a_second = 10'000'000;
    job_limits limits{};
    limits.flags = of_process_time;
    limits.process_time = static_cast<std::int64_t>(seconds) * ticks_a_second;
    return limit_by_job(limits);
}

inline std::uint64_t resident_bytes() noexcept {
    struct counters {
        api::dword bytes;
        api::dword faults;
        api::size_type most_resident;
        api::size_type resident;
        api::size_type others[6];
    };  // The system's PROCESS_MEMORY_COUNTERS.
    using query = int __stdcall(api::handle_value, counters*, api::dword);
    static query* const ask = api::find_function<query>(L"kernel32.dll", "K32GetProcessMemoryInfo");
    counters now{};
    now.bytes = sizeof now;
    const bool known = ask != nullptr && ask(api::GetCurrentProcess(), &now, sizeof now) != 0;
    return known ? now.resident : 0;
}

/// C's descriptor, and with it the system's own standard error.
inline void redirect_standard_error(native_handle object) noexcept {
    handle copy;
    if (duplicate(object, copy))
        return;  // On failure it stays what it was.
    const int stream = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(to_system(copy.get())), 0);
    if (stream == -1)
        return;
    copy.release();
    ::_dup2(stream, 2);
    ::_close(stream);
}

inline bool standard_error_is_terminal() noexcept {
    return ::_isatty(2) != 0;
}

inline std::error_code run_on_processor(std::uint64_t which) noexcept {
    using set_mask = int __stdcall(api::handle_value, api::size_type);
    static set_mask* const set =
        api::find_function<set_mask>(L"kernel32.dll", "SetProcessAffinityMask");
    api::size_type allowed = 0;
    api::size_type system = 0;
    if (api::GetProcessAffinityMask(api::GetCurrentProcess(), &allowed, &system) == 0)
        return last_error();
    if (set == nullptr || allowed == 0)
        return std::make_error_code(std::errc::function_not_supported);
    for (auto turn = which % static_cast<unsigned>(std::popcount(allowed)); turn > 0; --turn)
        allowed &= allowed - 1;
    const api::size_type lowest = allowed & (~allowed + 1);
    return set(api::GetCurrentProcess(), lowest) == 0 ? last_error() : std::error_code();
}

}  // namespace multiprocessing::detail::windows
