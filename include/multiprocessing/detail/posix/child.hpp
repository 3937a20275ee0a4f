// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/child.hpp: fork, or clone and exec, and a pidfd for each child.
#pragma once

#include <csignal>
#include <cstdint>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/exec.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/image.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>
#include <multiprocessing/detail/posix/system.hpp>
#include <multiprocessing/detail/posix/quiet_mask.hpp>
#include <multiprocessing/detail/posix/tie.hpp>

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

inline std::error_code open_process(int pid, handle& sentinel) noexcept {
    sentinel.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    return sentinel ? std::error_code() : last_error();
}

/// An orphan has another parent.
inline std::error_code open_parent_process(int pid, handle& sentinel) noexcept {
    handle parent;
    const auto ec = parent_process_id() == pid ? open_process(pid, parent) : std::error_code();
    // Asked once more: the number that was opened may have been another's already.
    if (parent_process_id() != pid)
        return std::make_error_code(std::errc::no_such_process);
    sentinel = std::move(parent);
    return ec;
}

inline std::error_code send_signal(native_handle process, int signal) noexcept {
    const auto result = ::syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0);
    return result == 0 ? std::error_code() : last_error();
}

/// How a process ended whose status another part of the program took: the kernel keeps it for those
/// who hold a pidfd. False on kernels before 6.15.
inline bool ask_exit_code(native_handle process, std::optional<int>& exitcode) noexcept {
    struct {
        std::uint64_t mask;
        std::uint64_t control_group;
        std::uint32_t ids[11];
        std::int32_t status;
    } info{};  // The kernel's pidfd_info in its first version.
    constexpr std::uint64_t info_exit = 1U << 3;
    info.mask = info_exit;
    int code = 0;
    if (::ioctl(process, _IOWR(0xFF, 11, info), &info) == -1 || (info.mask & info_exit) == 0 ||
        !exit_code_of(info.status, code))
        return false;
    exitcode = code;
    return true;
}

class child_process {
public:
    static constexpr bool can_fork = true;
    static constexpr int terminate_signal = SIGTERM;
    static constexpr int kill_signal = SIGKILL;
    static constexpr int interrupt_signal = SIGINT;

    static std::error_code prepare_fork(child_process& child, bool tied) {
        loaded_image_table();  // The child need not make its own.
        return tied ? child.tie_.open(child.tie_of_child_) : std::error_code();
    }
    /// Runs `body` in a copy of this process, which then ends with what `body` returns.
    template <class Body>
    static std::error_code fork(child_process& child, std::span<const native_handle> own,
                                Body&& body) {
        const native_handle tie = child.tie_of_child_.get();
        const left_to_child left(tie, own);
        const int pid = ::fork();
        if (pid == -1)
            return last_error();
        if (pid == 0)
            live(tie, body);
        child.tie_of_child_.reset();  // Makes room for the descriptor of the child.
        return child.settle(pid);
    }

    /// Starts a program. On failure nothing is left behind, and `step` says what failed.
    static std::error_code exec(child_process& child, const launch_plan& plan, launch_step& step) {
        step = launch_step::start;
        exec_request request(plan);
        handle reader;
        tie_holder tie;
        if (const auto ec = plan.tied ? tie.open(reader) : std::error_code())
            return ec;
        request.tie = reader.get();
        if (const auto ec = clone_and_exec(request, child.pid_, child.sentinel_))
            return ec;
        if (request.error != 0) {
            step = request.step;
            std::optional<int> ignored;
            child.reap(true, ignored);
            child.sentinel_.reset();
            return {request.error, std::system_category()};
        }
        child.tie_ = std::move(tie);
        return {};
    }

    int pid() const noexcept { return pid_; }
    native_handle sentinel() const noexcept { return sentinel_.get(); }

    std::error_code reap(bool block, std::optional<int>& exitcode) noexcept {
        if (lost_)
            return std::make_error_code(std::errc::no_child_process);
        ::siginfo_t info{};
        const int options = WEXITED | (block ? 0 : WNOHANG);
        const auto id = static_cast<::id_t>(sentinel_.get());
        if (retry([&] { return ::waitid(P_PIDFD, id, &info, options); }) == -1) {
            const auto ec = last_error();
            return ask_exit_code(sentinel_.get(), exitcode) ? std::error_code() : ec;
        }
        if (info.si_pid == 0)
            return {};
        exitcode = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
        tie_ = {};
        return {};
    }

    std::error_code signal(int number) noexcept {
        return lost_ ? std::make_error_code(std::errc::no_such_process)
                     : send_signal(sentinel_.get(), number);
    }

private:
    /// The child's side of a fork. What leaves `body` must not go on in the parent's frames.
    template <class Body>
    [[noreturn]] static void live(native_handle tie, Body& body) noexcept {
        if (tie != no_handle && !tie_to_parent(tie))
            end_child(127);
        tie_of_fork = tie;
        end_quiet();
        end_child(body());
    }

    std::error_code settle(int pid) noexcept {
        handle sentinel;
        auto ec = open_process(pid, sentinel);
        // It has ended, and was waited for by another thread, or by the kernel because SIGCHLD is
        // ignored: it is started all the same. Its number may be another's by now.
        const bool lost = ec == std::errc::no_such_process;
        if (lost)
            ec = open_ready(sentinel);
        if (ec) {
            if (!lost)
                end_unwatched(pid);
            return ec;
        }
        pid_ = pid;
        lost_ = lost;
        sentinel_ = std::move(sentinel);
        return {};
    }

    /// The child cannot be watched, so it must not be there.
    static void end_unwatched(int pid) noexcept {
        ::kill(pid, SIGKILL);
        retry([&] { return ::waitpid(pid, nullptr, 0); });
    }

    /// A sentinel that is ready from the beginning: a pipe without a writer.
    static std::error_code open_ready(handle& sentinel) noexcept {
        pipe_ends ends;
        const auto ec = open_pipe(ends);
        sentinel = std::move(ends.reader);
        return ec;
    }

    int pid_ = 0;
    bool lost_ = false;
    handle sentinel_;
    tie_holder tie_;
    /// Its other end, until the child has it.
    handle tie_of_child_;
};

}  // namespace multiprocessing::detail::posix
