// SPDX-License-Identifier: MIT
// Seam: what a process asks the system about itself and others, in single calls.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/command_rules.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/limits.hpp>
#include <multiprocessing/detail/posix/system.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/limits.hpp>
#include <multiprocessing/detail/windows/system.hpp>
#endif

namespace multiprocessing::detail {

/// process_id(), parent_process_id(): numbers, as the system's tools show them.
/// exit_now(status): ends this process; no handler, no destructor, nothing flushed.
/// kill_process(pid, signal): by number, which may be another's by now; see child_process::signal.
/// stop_inheritance(): what the parent left open for this process does not reach its own children.
using backend::exit_now;
using backend::kill_process;
using backend::parent_process_id;
using backend::process_id;
using backend::stop_inheritance;

/// disown_exit_handlers(last), end_forked_process(status): for a copy of a process. Of the handlers
/// and objects that `std::exit` or `end_forked_process` run and destroy, only those registered
/// after the first call are; then `last` runs and the process ends with the status.
using backend::disown_exit_handlers;
using backend::end_forked_process;

/// lead_group(): this process, a child that is tied to its parent, and what it starts from now on
/// become a group: when the parent dies all of it ends, and what is typed at a terminal to
/// interrupt the parent does not reach it. signal_group(sentinel, leader, signal): to all of the
/// group of a child of this process; to no other where that was waited for and its number is used
/// again.
using backend::lead_group;
using backend::signal_group;

/// wait_process(which, options, pid, status), exit_code_of(status, code): waiting as the system
/// names it; where there are no such statuses, `status` is the exit code itself.
using backend::exit_code_of;
using backend::wait_process;

/// machine_cpus(): all that are on; affinity_cpus(): those this process may use; 0 if unknown.
/// quota_cpus(): the share of processor time that its group is allowed, in processors; 0 if there
/// is no limit.
using backend::affinity_cpus;
using backend::machine_cpus;
using backend::quota_cpus;

/// limit_memory(bytes): of this process, beyond which memory for its own use is refused to it.
/// limit_cpu_time(seconds): of this process, after which it is ended. run_on_processor(which): this
/// process runs on that one only of those that it may use, counted round. resident_bytes(): memory
/// that this process has in use now.
using backend::limit_cpu_time;
using backend::limit_memory;
using backend::resident_bytes;
using backend::run_on_processor;

/// signal_name(9) is "SIGKILL". random_bytes(data, bytes): fit for keys.
/// out_of_memory_kills(): how many processes this one's group, or the system where that is not
/// known, has ended so far for want of memory; 0 where that cannot be known.
using backend::out_of_memory_kills;
using backend::random_bytes;
using backend::signal_name;

/// current_environment(): "NAME=value" for each variable of this process.
/// command_rules_here: how programs are named on this system.
/// search_for_programs(): where programs are looked for; the PATH is this process'.
using backend::command_rules_here;
using backend::current_environment;
using backend::search_for_programs;

template <class Integer>
concept system_contract = requires(Integer number, Integer& out, void* data, std::size_t bytes) {
    { process_id() }
    noexcept->std::same_as<Integer>;
    { parent_process_id() }
    noexcept->std::same_as<Integer>;
    { kill_process(number, number) } -> std::same_as<std::error_code>;
    { wait_process(number, number, out, out) } -> std::same_as<std::error_code>;
    { exit_code_of(number, out) } -> std::same_as<bool>;
    { machine_cpus() } -> std::same_as<Integer>;
    { affinity_cpus() } -> std::same_as<Integer>;
    { quota_cpus() } -> std::same_as<double>;
    { signal_name(number) } -> std::same_as<std::string>;
    { random_bytes(data, bytes) } -> std::same_as<std::error_code>;
    { current_environment() } -> std::same_as<std::vector<std::string>>;
    { search_for_programs() } -> std::same_as<program_search>;
    { command_rules_here } -> std::convertible_to<command_rules>;
    { lead_group() }
    noexcept;
    { limit_memory(bytes) } -> std::same_as<std::error_code>;
    { limit_cpu_time(bytes) } -> std::same_as<std::error_code>;
    { run_on_processor(bytes) } -> std::same_as<std::error_code>;
    { resident_bytes() } -> std::same_as<std::uint64_t>;
    { signal_group(standard_stream(2), number, number) }
    noexcept;
    { out_of_memory_kills() } -> std::same_as<std::uint64_t>;
};
static_assert(system_contract<int>);

}  // namespace multiprocessing::detail
