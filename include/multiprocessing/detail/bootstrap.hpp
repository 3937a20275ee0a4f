// SPDX-License-Identifier: MIT
// The life of a child process around its target: who it is, what an exception means, what it
// leaves.
#pragma once

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/os/streams.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/detail/type_name.hpp>

namespace multiprocessing::detail {

/// One call, so that the lines of several processes do not mix.
inline void report_failure(const std::string& process, const std::type_info& type,
                           const char* what) noexcept {
    std::fprintf(stderr, "Process %s:\n%s: %s\n", process.c_str(), readable_type_name(type).c_str(),
                 what);
}

inline void report_unknown_failure(const std::string& process) noexcept {
    const std::type_info* const type = current_exception_type();
    std::fprintf(stderr, "Process %s:\n%s: an exception that is no std::exception\n",
                 process.c_str(), type != nullptr ? readable_type_name(*type).c_str() : "unknown");
}

/// By what messages call this process. Where there is no memory for a long name it has none.
inline std::string name_of_this_process() noexcept {
    try {
        return process_table::instance().name();
    } catch (const std::bad_alloc&) {
        return "(out of memory)";
    }
}

/// Calls `target`; an exception that leaves it is told on standard error. Returns the exit status.
template <class Target>
int run_target(Target&& target) noexcept {
    try {
        target();
        return 0;
    } catch (const std::exception& error) {
        report_failure(name_of_this_process(), typeid(error), error.what());
    } catch (...) {
        report_unknown_failure(name_of_this_process());
    }
    return 1;
}

/// What a child does at its end, however it comes to it: by return, exception or `std::exit`.
inline void end_life() noexcept {
    process_table::instance().end_children();
    flush_streams();
}

/// The life of a child that is a fresh program, but for its end, which is `std::exit` with the
/// status that is returned.
template <class Target>
int run_child_process(process_identity identity, Target&& target) noexcept {
    process_table::instance().enter(*new process_identity(std::move(identity)));
    detach_input();
    const int status = run_target(std::forward<Target>(target));
    end_life();
    return status;
}

/// The life of a child that is a copy of its parent. What the parent's streams hold, its exit
/// handlers and its static objects are the parent's business; those that the target adds are run.
/// Each page that is first touched here is one more for the kernel to find or to copy: nothing is
/// let go of, and nothing allocated but where there are many exit handlers.
template <class Target>
[[noreturn]] void run_forked_process(process_identity& identity, Target&& target) noexcept {
    if (process_table::instance().is_ending())
        exit_now(1);
    disown_exit_handlers(end_life);
    process_table::instance().enter(identity);
    drop_buffers();
    detach_input();
    drop_input();
    end_forked_process(run_target(std::forward<Target>(target)));
}

/// A handle that is ready from the beginning.
inline handle ready_handle() {
    pipe_ends ends;
    throw_if_error(open_pipe(ends), "open a pipe");
    return std::move(ends.reader);
}

/// A handle that becomes ready when the parent, which had number `pid`, has ended; it is ready if
/// that was before.
inline handle parent_sentinel(int pid) {
    handle sentinel;
    const auto ec = open_parent_process(pid, sentinel);
    if (ec == std::errc::no_such_process)
        return ready_handle();
    throw_if_error(ec, "open parent process " + std::to_string(pid));
    return sentinel;
}

}  // namespace multiprocessing::detail
