// SPDX-License-Identifier: MIT
// Job objects, by which processes end with others.
#pragma once

#include <cstdint>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>

namespace multiprocessing::detail::windows {

// A job ends its members when its last handle is closed, which the system does when the process
// that has it ends, whatever it ends of.

inline std::error_code create_job(api::dword more_limits, handle& job) noexcept {
    using set_information = int __stdcall(api::handle_value, int, void*, api::dword);
    static set_information* const set =
        api::find_function<set_information>(L"kernel32.dll", "SetInformationJobObject");
    constexpr int extended_limits = 9;
    constexpr api::dword kill_on_close = 0x2000;
    struct {
        std::int64_t times[2];
        api::dword flags;
        std::uintptr_t sizes[2];
        api::dword most_processes;
        std::uintptr_t affinity;
        api::dword classes[2];
        std::uint64_t transfers[6];
        std::uintptr_t memory[4];
    } limits{};  // The system's JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
    limits.flags = kill_on_close | more_limits;
    if (const auto ec = take_over(api::CreateJobObjectW(nullptr, nullptr), job))
        return ec;
    if (set == nullptr)
        return std::make_error_code(std::errc::function_not_supported);
    return error_unless(set(to_system(job.get()), extended_limits, &limits, sizeof limits));
}

/// For a child that is born in it. What the child starts itself is not in it: that is tied to the
/// child, or not at all.
inline std::error_code create_tie(handle& job) noexcept {
    constexpr api::dword silent_breakaway = 0x1000;
    return create_job(silent_breakaway, job);
}

/// For this process and all that it starts from now on.
inline std::error_code enter_job_of_own() noexcept {
    handle job;
    if (const auto ec = create_job(0, job))
        return ec;
    if (api::AssignProcessToJobObject(to_system(job.get()), api::GetCurrentProcess()) == 0)
        return last_error();
    job.release();  // Closed by the system, when this process ends.
    return {};
}

}  // namespace multiprocessing::detail::windows
