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
#include <multiprocessing/detail/windows/job.hpp>

namespace multiprocessing::detail::windows {

/// Puts this process into one more job, which is there for as long as it has a member. The
/// process' children are not in that.
inline std::error_code limit_by_job(job_limits limits) noexcept {
    handle job;
    limits.flags |= silent_breakaway;
    if (const auto ec = create_job(limits, job))
        return ec;
    return error_unless(
        api::AssignProcessToJobObject(to_system(job.get()), api::GetCurrentProcess()));
}

inline std::error_code limit_memory(std::uint64_t bytes) noexcept {
    constexpr api::dword of_process_memory = 0x100;
    job_limits limits{};
    limits.flags = of_process_memory;
    limits.process_memory = bytes < UINTPTR_MAX ? static_cast<std::uintptr_t>(bytes) : UINTPTR_MAX;
    return limit_by_job(limits);
}

inline std::error_code limit_cpu_time(std::uint64_t seconds) noexcept {
    constexpr api::dword of_process_time = 0x2;
    constexpr std::uint64_t ticks_a_second = 10'000'000;
    constexpr std::uint64_t most_seconds = 900'000'000'000;  // 2^63 ticks hold no more.
    job_limits limits{};
    limits.flags = of_process_time;
    limits.process_time = static_cast<std::int64_t>(
        (seconds < most_seconds ? seconds : most_seconds) * ticks_a_second);
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
