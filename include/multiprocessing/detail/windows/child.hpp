// SPDX-License-Identifier: MIT
// Windows backend of detail/os/child.hpp: CreateProcessW, and a job object that ties a child.
#pragma once

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/launch.hpp>
#include <multiprocessing/detail/windows/system.hpp>
#include <multiprocessing/detail/windows/text.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

/// No process is a copy of another here: the hook would never run.
inline void run_after_fork(void (*)()) noexcept {}

/// A job that ends its member when its last handle is closed, which the system does when this
/// process ends, whatever it ends of. The child is born in it. What the child starts itself is not
/// in it: that is tied to the child, or not at all.
inline std::error_code create_tie(handle& job) noexcept {
    using set_information = int __stdcall(api::handle_value, int, void*, api::dword);
    static set_information* const set =
        api::find_function<set_information>(L"kernel32.dll", "SetInformationJobObject");
    constexpr int extended_limits = 9;
    constexpr api::dword kill_on_close = 0x2000;
    constexpr api::dword silent_breakaway = 0x1000;
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
    limits.flags = kill_on_close | silent_breakaway;
    if (const auto ec = take_over(api::CreateJobObjectW(nullptr, nullptr), job))
        return ec;
    if (set == nullptr)
        return std::make_error_code(std::errc::function_not_supported);
    return error_unless(set(to_system(job.get()), extended_limits, &limits, sizeof limits));
}

class child_process {
public:
    static constexpr bool can_fork = false;
    static constexpr int terminate_signal = 15;
    static constexpr int kill_signal = 9;
    static constexpr int interrupt_signal = 2;

    /// Starts a program. On failure nothing is left behind, and `step` says what failed.
    static std::error_code exec(child_process& child, const launch_plan& plan, launch_step& step) {
        step = launch_step::tie;
        handle tie;
        if (const auto ec = plan.tied ? create_tie(tie) : std::error_code())
            return ec;
        lent_handles lent;
        startup_information startup;
        if (plan.show_window) {
            startup.flags |= startup_information::use_show_window;
            startup.show_window = *plan.show_window;
        }
        step = launch_step::streams;
        if (const auto ec = lend_streams(plan, lent, startup))
            return ec;
        step = launch_step::inherited;
        for (const native_handle object : plan.inherited)
            if (const auto ec = lent.add(object))
                return ec;
        step = launch_step::start;
        process_attributes attributes;
        api::handle_value job = to_system(tie.get());
        if (const auto ec = set_attributes(plan, lent, tie ? &job : nullptr, attributes))
            return ec;
        startup.attributes = attributes.get();
        launch_texts texts;
        if (const auto ec = texts.prepare(plan, step))
            return ec;
        if (const auto ec = child.create(plan, texts, startup,
                                         !lent.list().empty() || !plan.close_others, step))
            return ec;
        child.tie_ = std::move(tie);
        return {};
    }

    int pid() const noexcept { return pid_; }
    native_handle sentinel() const noexcept { return process_.get(); }

    std::error_code reap(bool block, std::optional<int>& exitcode) noexcept {
        bool ended = false;
        if (const auto ec =
                wait_for(process_.get(), block ? deadline::never() : deadline::now(), ended);
            ec || !ended)
            return ec;
        api::dword code = 0;
        if (api::GetExitCodeProcess(to_system(process_.get()), &code) == 0)
            return last_error();
        exitcode = static_cast<int>(code);
        tie_.reset();
        return {};
    }

    /// There are no signals. Those that end a program by default end it, at once, and the exit code
    /// tells which it was; the events of a console, CTRL_C_EVENT (0) and CTRL_BREAK_EVENT (1), go
    /// to the process group that the child leads.
    std::error_code signal(int number) noexcept {
        if (number == 0 || number == 1)
            return error_unless(api::GenerateConsoleCtrlEvent(static_cast<api::dword>(number),
                                                              static_cast<api::dword>(pid_)));
        if (number != terminate_signal && number != kill_signal && number != interrupt_signal)
            return std::make_error_code(std::errc::operation_not_supported);
        if (api::TerminateProcess(to_system(process_.get()), static_cast<unsigned>(-number)) != 0)
            return {};
        // One that has ended, or is about to, refuses.
        const auto failed = last_error();
        constexpr api::dword runs = 259;
        api::dword code = runs;
        api::GetExitCodeProcess(to_system(process_.get()), &code);
        return code != runs ? std::error_code() : failed;
    }

private:
    /// A program that is to have a console of its own, or none, gets its streams from there.
    static bool is_for_own_console(const launch_plan& plan) noexcept {
        constexpr unsigned long new_console_or_detached = 0x18;
        return (plan.creation_flags & new_console_or_detached) != 0 &&
               plan.streams == decltype(plan.streams){no_handle, no_handle, no_handle};
    }

    /// Where this process has no such stream the child has none either.
    static std::error_code lend_streams(const launch_plan& plan, lent_handles& lent,
                                        startup_information& startup) {
        if (is_for_own_console(plan))
            return {};
        startup.flags |= startup_information::use_streams;
        for (int i = 0; i < 3; ++i) {
            const native_handle wanted = plan.streams[static_cast<std::size_t>(i)];
            const native_handle object = wanted != no_handle ? wanted : standard_stream(i);
            const auto ec = object != no_handle ? lent.add(object) : std::error_code();
            if (ec && wanted != no_handle)
                return ec;
            startup.streams[i] = ec || object == no_handle ? nullptr : to_system(object);
        }
        return {};
    }

    static std::error_code set_attributes(const launch_plan& plan, lent_handles& lent,
                                          api::handle_value* job, process_attributes& attributes) {
        if (const auto ec = attributes.create(2))
            return ec;
        if (plan.close_others && !lent.list().empty())
            if (const auto ec = attributes.set(process_attributes::handle_list, lent.list()))
                return ec;
        return job != nullptr ? attributes.set(process_attributes::job_list, {job, 1})
                              : std::error_code();
    }

    /// Tries each path. A file that may not be executed is reported only if no other is found.
    std::error_code create(const launch_plan& plan, const launch_texts& texts,
                           startup_information& startup, bool inherit, launch_step& step) {
        step = launch_step::program;
        std::error_code failed = std::make_error_code(std::errc::no_such_file_or_directory);
        for (const std::string& candidate : plan.candidates) {
            std::wstring program;
            if (const auto ec = to_wide(candidate, program))
                return ec;
            if (create_from(program, texts, plan, startup, inherit))
                return {};
            switch (const api::dword error = api::GetLastError()) {
            case api::error_file_not_found:
            case api::error_path_not_found:
                break;
            case api::error_access_denied:
                failed = error_of(error);
                break;
            case api::error_directory:
                step = launch_step::directory;
                [[fallthrough]];
            default:
                return error_of(error);
            }
        }
        return failed;
    }

    bool create_from(const std::wstring& program, const launch_texts& texts,
                     const launch_plan& plan, startup_information& startup, bool inherit) {
        constexpr api::dword extended_startup = 0x80000;
        constexpr api::dword unicode_environment = 0x400;
        std::wstring arguments = texts.arguments;  // The function writes into it.
        std::wstring environment = texts.environment;
        process_information made;
        if (api::CreateProcessW(program.c_str(), arguments.data(), nullptr, nullptr,
                                inherit ? 1 : 0,
                                extended_startup | unicode_environment | plan.creation_flags,
                                plan.environment ? environment.data() : nullptr,
                                texts.directory.empty() ? nullptr : texts.directory.c_str(),
                                reinterpret_cast<::_STARTUPINFOW*>(&startup),
                                reinterpret_cast<::_PROCESS_INFORMATION*>(&made)) == 0)
            return false;
        handle(from_system(made.thread)).reset();
        process_.reset(from_system(made.process));
        pid_ = static_cast<int>(made.process_id);
        return true;
    }

    int pid_ = 0;
    handle process_;
    handle tie_;
};

}  // namespace multiprocessing::detail::windows
