// SPDX-License-Identifier: MIT
// POSIX backend of detail/os/system.hpp: what a process may use, and uses.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>

#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/files.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

/// Never above what the parent's limit allows.
template <class Resource>
std::error_code limit_resource(Resource which, std::uint64_t most, std::uint64_t hard) noexcept {
    ::rlimit limit{};
    if (::getrlimit(which, &limit) == -1)
        return last_error();
    if (most < limit.rlim_max)
        limit.rlim_cur = most;
    if (hard < limit.rlim_max)
        limit.rlim_max = hard;
    return ::setrlimit(which, &limit) == -1 ? last_error() : std::error_code();
}

/// Heap, stack and private memory that can be written; shared memory and files do not count.
inline std::error_code limit_memory(std::uint64_t bytes) noexcept {
    return limit_resource(RLIMIT_DATA, bytes, bytes);
}

/// First SIGXCPU, by which the end is known; whoever ignores it is killed a second later.
inline std::error_code limit_cpu_time(std::uint64_t seconds) noexcept {
    return limit_resource(RLIMIT_CPU, seconds, seconds + 1);
}

inline std::uint64_t resident_bytes() {
    const std::string text = read_text("/proc/self/statm");  // "TOTAL RESIDENT ...", in pages
    char* rest = nullptr;
    std::strtoull(text.c_str(), &rest, 10);
    return std::strtoull(rest, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

inline std::error_code run_on_processor(std::uint64_t which) noexcept {
    ::cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) == -1)
        return last_error();
    std::uint64_t turn = which % static_cast<std::uint64_t>(CPU_COUNT(&allowed));
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed) || turn-- != 0)
            continue;
        ::cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return ::sched_setaffinity(0, sizeof one, &one) == -1 ? last_error() : std::error_code();
    }
    return std::make_error_code(std::errc::no_such_device);
}

}  // namespace multiprocessing::detail::posix
