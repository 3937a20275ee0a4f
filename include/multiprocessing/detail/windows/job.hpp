// SPDX-License-Identifier: MIT
// Job objects, by which processes end with others, and are kept within limits.
#pragma once

#include <cstdint>
#include <system_error>

#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>

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

/// What a member starts itself is no member.
inline constexpr api::dword silent_breakaway = 0x1000;

inline std::error_code create_job(job_limits limits, handle& job) noexcept {
    using set_information = int __stdcall(api::handle_value, int, void*, api::dword);
    static set_information* const set =
        api::find_function<set_information>(L"kernel32.dll", "SetInformationJobObject");
    constexpr int extended_limits = 9;
    if (const auto ec = take_over(api::CreateJobObjectW(nullptr, nullptr), job))
        return ec;
    if (set == nullptr)
        return std::make_error_code(std::errc::function_not_supported);
    return error_unless(set(to_system(job.get()), extended_limits, &limits, sizeof limits));
}

/// One that ends its members when its last handle is closed, which the system does when the process
/// that has it ends, whatever it ends of.
inline std::error_code create_ending_job(api::dword more_flags, handle& job) noexcept {
    constexpr api::dword kill_on_close = 0x2000;
    job_limits limits{};
    limits.flags = kill_on_close | more_flags;
    return create_job(limits, job);
}

/// For a child that is born in it. What the child starts itself is not in it: that is tied to the
/// child, or not at all.
inline std::error_code create_tie(handle& job) noexcept {
    return create_ending_job(silent_breakaway, job);
}

/// For this process and all that it starts from now on. Nobody can close its handle: code that
/// closes whatever handles there may be would end this process.
inline std::error_code enter_job_of_own() noexcept {
    handle job;
    if (const auto ec = create_ending_job(0, job))
        return ec;
    if (api::AssignProcessToJobObject(to_system(job.get()), api::GetCurrentProcess()) == 0)
        return last_error();
    // Nothing to do on failure: the job works without.
    constexpr api::dword protect_from_close = 2;
    api::SetHandleInformation(to_system(job.get()), protect_from_close, protect_from_close);
    job.release();  // Closed by the system, when this process ends.
    return {};
}

}  // namespace multiprocessing::detail::windows
