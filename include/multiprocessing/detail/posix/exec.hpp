// SPDX-License-Identifier: MIT
// Starts a program without copying this process: clone as vfork does, then a few steps, then exec.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/tie.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

/// A launch_plan as execve wants it. Everything is allocated here, before the clone.
struct exec_request {
    explicit exec_request(const launch_plan& from)
        : plan(from), argv(pointers(from.arguments)), candidates(pointers(from.candidates)) {
        if (from.environment)
            environment = pointers(*from.environment);
    }

    static std::vector<char*> pointers(const std::vector<std::string>& texts) {
        std::vector<char*> result;
        result.reserve(texts.size() + 1);
        for (const std::string& text : texts)
            result.push_back(const_cast<char*>(text.c_str()));
        result.push_back(nullptr);
        return result;
    }

    const launch_plan& plan;
    std::vector<char*> argv;
    std::vector<char*> candidates;
    std::vector<char*> environment;
    native_handle tie = no_handle;
    // What the child runs on: not this thread's stack, which may be a small one.
    static constexpr std::size_t stack_bytes = 64 * 1024;
    std::unique_ptr<std::byte[]> stack = std::make_unique_for_overwrite<std::byte[]>(stack_bytes);
    // Written by the child, which shares this memory, and read after it has exec'd or ended.
    int error = 0;
    launch_step step = launch_step::start;
};

// ThreadSanitizer's clone takes the child for a copy of the process, which this child is not.
#if defined(MULTIPROCESSING_THREAD_SANITIZER)
extern "C" int __clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept;
#define MULTIPROCESSING_CLONE ::multiprocessing::detail::posix::__clone
#else
#define MULTIPROCESSING_CLONE ::clone
#endif

// From here to run_child: between clone and exec. The child runs in the parent's memory while the
// thread that made it is suspended. Nothing here may allocate, lock, throw or change what the
// parent would miss; system calls only, and raw ones where a sanitizer would put a function of its
// own in between: that keeps tables in the memory that this child shares. Each step returns whether
// it succeeded, and leaves errno.

inline constexpr std::size_t kernel_mask_bytes = 8;

/// Handlers of the parent must not run here, in its memory but on the child's behalf.
inline void reset_signal_handlers(bool restore_ignored) noexcept {
    struct kernel_action {
        std::uintptr_t handler;
        std::uintptr_t rest[7];
    };
    const std::uintptr_t ignore = 1;
    for (int signal = 1; signal < NSIG; ++signal) {
        kernel_action action{};
        if (::syscall(SYS_rt_sigaction, signal, nullptr, &action, kernel_mask_bytes) == -1)
            continue;  // Not a signal whose handler can be asked for.
        const bool restored = restore_ignored && (signal == SIGPIPE || signal == SIGXFSZ);
        if (action.handler == 0 || (action.handler == ignore && !restored))
            continue;
        const kernel_action by_default{};
        ::syscall(SYS_rt_sigaction, signal, &by_default, nullptr, kernel_mask_bytes);
    }
}

inline void unblock_signals() noexcept {
    const std::uint64_t none = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kernel_mask_bytes);
}

inline bool enter_session(const launch_plan& plan) noexcept {
    if (plan.umask)
        ::umask(static_cast<::mode_t>(*plan.umask));
    if (plan.new_session && ::setsid() == -1)
        return false;
    return !plan.process_group || ::setpgid(0, *plan.process_group) == 0;
}

inline bool enter_directory(const launch_plan& plan) noexcept {
    return plan.directory.empty() || ::chdir(plan.directory.c_str()) == 0;
}

inline bool set_inherited(native_handle fd) noexcept {
    return ::fcntl(fd, F_SETFD, 0) == 0;
}

/// Sources among 0, 1 and 2 are first copied above them, or one would overwrite the other.
inline bool place_streams(const launch_plan& plan) noexcept {
    native_handle sources[3];
    for (int i = 0; i < 3; ++i) {
        const native_handle source = plan.streams[static_cast<std::size_t>(i)];
        const bool in_the_way = source >= 0 && source <= 2 && source != i;
        sources[i] = in_the_way ? ::fcntl(source, F_DUPFD_CLOEXEC, 3) : source;
        if (in_the_way && sources[i] == -1)
            return false;
    }
    for (int i = 0; i < 3; ++i) {
        if (sources[i] == no_handle)
            continue;
        if (sources[i] == i ? !set_inherited(i) : ::syscall(SYS_dup3, sources[i], i, 0) == -1)
            return false;
    }
    return true;
}

/// Marks every descriptor above the streams close-on-exec, also on kernels without close_range.
inline bool close_others_on_exec() noexcept {
    constexpr unsigned close_range_cloexec = 4;
    if (::syscall(SYS_close_range, 3U, ~0U, close_range_cloexec) == 0)
        return true;
    const long limit = ::sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < limit; ++fd)
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // Most are not open: that is no failure.
    return true;
}

inline bool choose_inherited(const exec_request& request) noexcept {
    if (request.plan.close_others && !close_others_on_exec())
        return false;
    for (const native_handle fd : request.plan.inherited)
        if (!set_inherited(fd))
            return false;
    return request.tie == no_handle || set_inherited(request.tie);
}

/// Tries each path. What is wrong with a file that is there, but cannot be executed, is reported
/// only if no other is found.
/// ThreadSanitizer counts calls and returns in memory that the parent goes on with, so it must not
/// see the calls that do not return: this one and run_child's.
MULTIPROCESSING_NO_THREAD_SANITIZER inline void execute(const exec_request& request) noexcept {
    char* const* environment = request.plan.environment ? request.environment.data() : ::environ;
    int first_error = 0;
    for (char* const* path = request.candidates.data(); *path != nullptr; ++path) {
        ::execve(*path, request.argv.data(), environment);
        if (errno != ENOENT && errno != ENOTDIR && first_error == 0)
            first_error = errno;
    }
    if (first_error != 0)
        errno = first_error;
}

inline bool prepare(exec_request& request) noexcept {
    const auto step = [&](launch_step which, bool ok) {
        request.step = which;
        return ok;
    };
    const launch_plan& plan = request.plan;
    return step(launch_step::tie, request.tie == no_handle || tie_to_parent(request.tie)) &&
           step(launch_step::session, enter_session(plan)) &&
           step(launch_step::directory, enter_directory(plan)) &&
           step(launch_step::streams, place_streams(plan)) &&
           step(launch_step::inherited, choose_inherited(request));
}

MULTIPROCESSING_NO_THREAD_SANITIZER inline int run_child(void* argument) noexcept {
    exec_request& request = *static_cast<exec_request*>(argument);
    reset_signal_handlers(request.plan.restore_signals);
    unblock_signals();
    if (prepare(request)) {
        request.step = launch_step::program;
        execute(request);
    }
    request.error = errno != 0 ? errno : EINVAL;
    for (;;)
        ::syscall(SYS_exit_group, 127);
}

/// Blocks all signals of this thread, so that no handler runs while the memory is shared.
class all_signals_blocked {
public:
    all_signals_blocked() noexcept {
        ::sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;
    ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    ::sigset_t before_;
};

/// Returns when the program runs, or has failed to: then `request.error` says why.
inline std::error_code clone_and_exec(exec_request& request, int& pid, handle& sentinel) noexcept {
    int pidfd = no_handle;
    {
        const all_signals_blocked guard;
        pid =
            MULTIPROCESSING_CLONE(run_child, request.stack.get() + exec_request::stack_bytes,
                                  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &request, &pidfd);
    }
    if (pid == -1)
        return last_error();
    sentinel.reset(pidfd);
    // With the process' limit of descriptors reached it stays where it is.
    static_cast<void>(keep_off_streams(sentinel));
    return {};
}

}  // namespace multiprocessing::detail::posix
