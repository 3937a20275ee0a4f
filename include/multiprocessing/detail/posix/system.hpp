// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/system.hpp.
#pragma once

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/command_rules.hpp>
#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/files.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>
#include <multiprocessing/detail/posix/process_id.hpp>
#include <multiprocessing/detail/posix/tie.hpp>

#include <cxxabi.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

inline int parent_process_id() noexcept {
    return ::getppid();
}

[[noreturn]] inline void exit_now(int status) noexcept {
    ::_exit(status);
}

inline std::error_code fork_process(int& pid) noexcept {
    pid = ::fork();
    return pid == -1 ? last_error() : std::error_code();
}

/// Waits for a child; `pid` is 0 where none has changed and `options` asked not to block.
inline std::error_code wait_process(int which, int options, int& pid, int& status) noexcept {
    pid = retry([&] { return ::waitpid(which, &status, options); });
    return pid == -1 ? last_error() : std::error_code();
}

/// The exit status, or minus the signal; false where the process was only stopped or continued.
inline bool exit_code_of(int status, int& code) noexcept {
    if (WIFEXITED(status))
        code = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        code = -WTERMSIG(status);
    else
        return false;
    return true;
}

inline std::error_code kill_process(int pid, int signal) noexcept {
    return ::kill(pid, signal) == -1 ? last_error() : std::error_code();
}

inline void lead_group() noexcept {
    if (in_child.setpgid(0, 0) == 0)  // Else it leads a session: nothing typed reaches it.
        tie_group_to_parent();
}

/// Fails where it leads no group, or all have ended. The kernel is told the leader by its
/// descriptor, where it knows that (Linux 6.9): the number may be another group's once any part of
/// the program has waited for it. On older ones it is not as long as the leader is there, or nobody
/// has its number: that is not given away while it is a group's.
inline void signal_group(native_handle leader, int pid, int signal) noexcept {
    constexpr unsigned to_group = 1U << 2;
    const auto send = [&](int what, unsigned flags) {
        return ::syscall(SYS_pidfd_send_signal, leader, what, nullptr, flags) == 0 ? 0 : errno;
    };
    if (send(signal, to_group) != EINVAL)
        return;
    const int answer = send(0, 0);
    const bool is_there = answer == 0 || answer == EPERM;  // Not permitted: it changed its user.
    if (is_there || (answer == ESRCH && ::kill(pid, 0) == -1 && errno == ESRCH))
        ::kill(-pid, signal);
}

inline int machine_cpus() noexcept {
    const long count = ::sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? static_cast<int>(count) : 0;
}

/// The processors that this thread may run on; grows the set until the kernel's fits.
inline int affinity_cpus() {
    for (std::size_t cpus = 1024; cpus <= 1U << 20; cpus *= 2) {
        std::vector<unsigned long> mask(cpus / (8 * sizeof(unsigned long)));
        const std::size_t bytes = mask.size() * sizeof(unsigned long);
        auto* const set = reinterpret_cast<::cpu_set_t*>(mask.data());
        if (::sched_getaffinity(0, bytes, set) == 0)
            return CPU_COUNT_S(bytes, set);
        if (errno != EINVAL)
            break;
    }
    return 0;
}

/// The path of this process in the hierarchy of one controller, or in the unified one, as
/// /proc/self/cgroup tells it: lines of "number:controller,controller:path".
inline std::string control_group(std::string_view table, std::string_view controller) {
    while (!table.empty()) {
        const std::string_view line = table.substr(0, table.find('\n'));
        table.remove_prefix(line.size() < table.size() ? line.size() + 1 : line.size());
        const auto first = line.find(':');
        const auto second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos)
            continue;
        std::string names(",");
        names.append(line.substr(first + 1, second - first - 1)).append(",");
        const std::string wanted = "," + std::string(controller) + ",";
        if (controller.empty() ? names == ",," : names.find(wanted) != names.npos)
            return std::string(line.substr(second + 1));
    }
    return {};
}

/// The processors' worth of time that a group allows in each period; 0 for no limit.
inline double unified_quota(const std::string& directory) {
    const std::string text = read_text(directory + "/cpu.max");  // "QUOTA PERIOD" or "max PERIOD"
    char* rest = nullptr;
    const double quota = std::strtod(text.c_str(), &rest);
    const double period = std::strtod(rest, nullptr);
    return quota > 0 && period > 0 ? quota / period : 0;
}

inline double first_version_quota(const std::string& directory) {
    const double quota = std::strtod(read_text(directory + "/cpu.cfs_quota_us").c_str(), nullptr);
    const double period = std::strtod(read_text(directory + "/cpu.cfs_period_us").c_str(), nullptr);
    return quota > 0 && period > 0 ? quota / period : 0;
}

/// The least that the group or one above it allows.
inline double tightest_quota(std::string group, const std::string& mount,
                             double (*read)(const std::string&)) {
    double least = 0;
    for (;;) {
        const double quota = read(mount + group);
        if (quota > 0 && (least == 0 || quota < least))
            least = quota;
        const auto slash = group.rfind('/');
        if (slash == std::string::npos)
            return least;
        group.resize(slash);
    }
}

inline double quota_cpus() {
    const std::string table = read_text("/proc/self/cgroup");
    const double unified =
        tightest_quota(control_group(table, ""), "/sys/fs/cgroup", unified_quota);
    return unified > 0 ? unified
                       : tightest_quota(control_group(table, "cpu"), "/sys/fs/cgroup/cpu",
                                        first_version_quota);
}

/// The number behind a word in a table of words and numbers; 0 if it is not there.
inline std::uint64_t number_after(const std::string& table, const std::string& word) {
    const auto at = table.find(word + " ");
    return at == table.npos ? 0 : std::strtoull(table.c_str() + at + word.size(), nullptr, 10);
}

inline std::uint64_t out_of_memory_kills() {
    const std::string group = control_group(read_text("/proc/self/cgroup"), "");
    const std::string events = read_text("/sys/fs/cgroup" + group + "/memory.events");
    return events.empty() ? number_after(read_text("/proc/vmstat"), "oom_kill")
                          : number_after(events, "oom_kill");
}

inline std::string signal_name(int signal) {
    const char* const name = ::sigabbrev_np(signal);
    return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

inline std::error_code random_bytes(void* data, std::size_t bytes) noexcept {
    auto* at = static_cast<unsigned char*>(data);
    while (bytes > 0) {
        const auto n = retry([&] { return ::getrandom(at, bytes, 0); });
        if (n < 0)
            return last_error();
        at += n;
        bytes -= static_cast<std::size_t>(n);
    }
    return {};
}

/// Marks what a parent left open for this process, so that it goes no further.
inline void stop_inheritance() noexcept {
    constexpr unsigned close_range_cloexec = 4;
    ::syscall(SYS_close_range, 3U, ~0U, close_range_cloexec);  // Older kernels pass them on.
}

inline constexpr command_rules command_rules_here = posix_command_rules;

/// PATH may be absent: then it is what the C library says, see command_rules.
inline program_search search_for_programs() {
    const char* const path = std::getenv("PATH");
    return {{},
            std::string(path != nullptr ? path : command_rules_here.default_path),
            std::string(command_rules_here.shell),
            {}};
}

inline std::vector<std::string> current_environment() {
    std::vector<std::string> entries;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

using last_exit_handler = void (*)();

#if defined(MULTIPROCESSING_GLIBC)
/// Handlers run in reverse order of their registration, so what is registered now is the border: it
/// ends the process before the parent's can run. By `std::exit` the first border that is met is
/// on_exit's, which is told the status. end_forked_process must not call `std::exit`: that destroys
/// the parent's thread_local objects too; the call it makes passes over on_exit's and meets
/// atexit's.
class exit_border {
public:
    static void draw(last_exit_handler last) noexcept {
        last_ = last;
        std::atexit([] { stop(status_); });
        in_child.on_exit([](int status, void*) { stop(status); }, nullptr);
    }
    [[noreturn]] static void end(int status) noexcept {
        status_ = status;
        abi::__cxa_finalize(nullptr);
        stop(status);
    }

private:
    [[noreturn]] static void stop(int status) noexcept {
        last_();
        end_child(status);
    }

    static inline last_exit_handler last_ = nullptr;
    static inline int status_ = 0;
};
#else
class exit_border {
public:
    static void draw(last_exit_handler last) noexcept { last_ = last; }
    [[noreturn]] static void end(int status) noexcept {
        last_();
        end_child(status);
    }

private:
    static inline last_exit_handler last_ = nullptr;
};
#endif

inline void disown_exit_handlers(last_exit_handler last) noexcept {
    exit_border::draw(last);
}

[[noreturn]] inline void end_forked_process(int status) noexcept {
    exit_border::end(status);
}

}  // namespace multiprocessing::detail::posix
