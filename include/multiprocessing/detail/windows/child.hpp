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
#include <multiprocessing/detail/windows/prepared_launch.hpp>
#include <multiprocessing/detail/windows/system.hpp>
#include <multiprocessing/detail/windows/text.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

/// No process is a copy of another here: the hook would never run.
inline void run_after_fork(void (*)()) noexcept {}

class child_process {
public:
    static constexpr bool can_fork = false;
    static constexpr int terminate_signal = 15;
    static constexpr int kill_signal = 9;
    static constexpr int interrupt_signal = 2;

    /// Starts a program. On failure nothing is left behind, and `step` says what failed.
    static std::error_code exec(child_process& child, const launch_plan& plan, launch_step& step) {
        prepared_launch launch;
        if (const auto ec = launch.prepare(plan, step))
            return ec;
        if (const auto ec = child.create(plan, launch, step))
            return ec;
        child.tie_ = std::move(launch.tie);
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
    /// Tries each path. A file that may not be executed is reported only if no other is found.
    std::error_code create(const launch_plan& plan, prepared_launch& launch, launch_step& step) {
        step = launch_step::program;
        std::error_code failed = std::make_error_code(std::errc::no_such_file_or_directory);
        for (const std::string& candidate : plan.candidates) {
            std::wstring program;
            if (const auto ec = to_wide(candidate, program))
                return ec;
            if (create_from(program, plan, launch))
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

    bool create_from(const std::wstring& program, const launch_plan& plan,
                     prepared_launch& launch) {
        constexpr api::dword extended_startup = 0x80000;
        constexpr api::dword unicode_environment = 0x400;
        launch_texts texts = launch.texts;  // The function writes into them.
        process_information made;
        if (api::CreateProcessW(program.c_str(), texts.arguments.data(), nullptr, nullptr,
                                launch.inherits(plan) ? 1 : 0,
                                extended_startup | unicode_environment | plan.creation_flags,
                                plan.environment ? texts.environment.data() : nullptr,
                                texts.directory.empty() ? nullptr : texts.directory.c_str(),
                                reinterpret_cast<::_STARTUPINFOW*>(&launch.startup),
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
