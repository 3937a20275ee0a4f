// SPDX-License-Identifier: MIT
// The life of a child process around its target: who it is, what an exception means, what it leaves.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/detail/streams.hpp>

namespace multiprocessing::detail {

inline void report_failure(const std::string& process, const std::string& what) noexcept {
    std::fprintf(stderr, "Process %s:\n%s\n", process.c_str(), what.c_str());
}

/// Calls `target`; an exception that leaves it is told on standard error. Returns the exit status.
template <class Target>
int run_target(const std::string& name, Target&& target) noexcept {
    try {
        target();
        return 0;
    } catch (const std::exception& error) {
        report_failure(name, readable_name(typeid(error)) + ": " + error.what());
    } catch (...) {
        report_failure(name, "an exception that is no std::exception");
    }
    return 1;
}

/// A handle that becomes ready when the parent, which had number `pid`, has ended; empty if it
/// has already.
inline handle parent_sentinel(int pid) {
    handle sentinel;
    if (parent_process_id() == pid)
        throw_if_error(open_process(pid, sentinel), "open parent process " + std::to_string(pid));
    return sentinel;
}

/// The whole of a child's life but its end, which differs by start method.
template <class Target>
int run_child_process(process_identity identity, Target&& target) {
    const std::string name = identity.name;
    process_table::instance().enter(std::move(identity));
    detach_input();
    const int status = run_target(name, std::forward<Target>(target));
    process_table::instance().end_children();
    flush_streams();
    return status;
}

}  // namespace multiprocessing::detail
