// SPDX-License-Identifier: MIT
// From a command and its options to a running program: what is checked, planned and opened first.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/launch_plan.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/detail/subprocess_options.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// The handles of a start, besides those that the user lent.
struct launch_streams {
    /// This process' ends of the pipes, by the number of the stream; shielded.
    std::array<handle, 3> ours;
    /// What only the program needs; closed here once it runs.
    std::array<handle, 3> theirs;
};

inline void check_command(const subprocess::command& command, const subprocess::options& how) {
    if (command.arguments().empty())
        throw ValueError("a command needs at least the name of a program");
    if (how.shell && command.is_path())
        throw ValueError("a path is not a script: with shell, give the command as a string");
    for (const std::string& argument : command.arguments())
        refuse_nul(argument, "an argument");
    refuse_nul(how.executable.text(), "executable");
    refuse_nul(how.cwd.text(), "cwd");
}

inline void check_umask(const subprocess::options& how) {
    if (how.umask && (*how.umask < 0 || *how.umask > 0777))
        throw ValueError("umask must be from 0 to 0777");
}

inline void check_streams(const subprocess::options& how) {
    using kind = subprocess::redirection::kind;
    if (how.stdin_.type() == kind::merge || how.stdout_.type() == kind::merge)
        throw ValueError("STDOUT can only be used for stderr");
}

/// The words that the program is given, those of the shell included.
inline std::vector<std::string> launch_arguments(const subprocess::command& command,
                                                 const subprocess::options& how,
                                                 const program_search& search) {
    if (!how.shell)
        return command_rules_here.one_text && command.is_text() && !command.is_path()
                   ? split_windows_command_line(command.text())
                   : command.arguments();
    std::vector<std::string> words;
    words.reserve(command.arguments().size() + 2);
    words.emplace_back(how.executable.empty() ? search.shell : how.executable.text());
    words.emplace_back(command_rules_here.shell_option);
    words.insert(words.end(), command.arguments().begin(), command.arguments().end());
    return words;
}

/// Where a system gives a program one text: what a user has written as one reaches it as it is. The
/// shell takes off the outermost quotes and leaves the others.
inline std::string launch_text(const subprocess::command& command, const subprocess::options& how,
                               const launch_plan& plan) {
    const bool is_written = command.is_text() && !command.is_path();
    if (!how.shell)
        return is_written ? command.text() : std::string();
    const std::string script =
        is_written ? command.text() : windows_command_line(command.arguments());
    return windows_command_line({plan.arguments.begin(), plan.arguments.begin() + 2}) + " \"" +
           script + '"';
}

/// The program is found by the PATH of its own environment; on Windows by this process', as
/// CreateProcess finds it.
inline void choose_program(launch_plan& plan, const std::string& program, program_search search,
                           const command_rules& rules) {
    if (!rules.one_text && plan.environment) {
        const char* const path = find_variable(*plan.environment, "PATH");
        search.path = path != nullptr ? path : rules.default_path;
    }
    plan.candidates = program_candidates(program, search, rules);
    if (rules.one_text && plan.command_line.empty() && is_batch_file(program)) {
        plan.command_line = windows_batch_line(search.batch_shell, program, plan.arguments);
        plan.candidates = {search.batch_shell};
    }
}

/// Throws `ValueError` for an option of another system.
inline void check_system(const subprocess::options& how, const command_rules& rules) {
    const auto refuse = [](bool given, const char* option, const char* system) {
        if (given)
            throw ValueError(std::string(option) + " is only supported on " + system +
                             " platforms");
    };
    if (rules.one_text) {
        refuse(how.start_new_session, "start_new_session", "POSIX");
        refuse(how.process_group.has_value(), "process_group", "POSIX");
        refuse(how.umask.has_value(), "umask", "POSIX");
    } else {
        refuse(how.startupinfo.has_value(), "startupinfo", "Windows");
        refuse(how.creationflags != 0, "creationflags", "Windows");
    }
}

inline void plan_windows(launch_plan& plan, const subprocess::options& how) {
    plan.creation_flags = how.creationflags;
    if (how.shell)
        plan.show_window = subprocess::SW_HIDE_;
    if (how.startupinfo && (how.startupinfo->dwFlags & subprocess::STARTF_USESHOWWINDOW_) != 0)
        plan.show_window = how.startupinfo->wShowWindow;
}

/// Throws `ValueError` for what contradicts itself or cannot reach a program.
inline launch_plan make_launch_plan(const subprocess::command& command,
                                    const subprocess::options& how) {
    check_command(command, how);
    check_streams(how);
    check_system(how, command_rules_here);
    check_umask(how);
    const program_search search = search_for_programs();
    launch_plan plan;
    plan.arguments = launch_arguments(command, how, search);
    if (command_rules_here.one_text)
        plan.command_line = launch_text(command, how, plan);
    if (!how.env.is_inherited())
        plan.environment = environment_entries(how.env.variables());
    choose_program(plan, how.executable.empty() ? plan.arguments.front() : how.executable.text(),
                   search, command_rules_here);
    plan_windows(plan, how);
    plan.directory = how.cwd.text();
    plan.inherited = how.pass_fds;
    plan.close_others = how.close_fds || !how.pass_fds.empty();
    plan.tied = how.die_with_parent;
    plan.restore_signals = how.restore_signals;
    plan.new_session = how.start_new_session;
    plan.process_group = how.process_group;
    plan.umask = how.umask;
    return plan;
}

/// A pipe between this process and stream `number` of the program; returns the program's end.
inline native_handle open_stream_pipe(std::size_t number, const subprocess::options& how,
                                      launch_streams& streams) {
    pipe_ends ends;
    throw_if_error(open_program_pipe(ends, number == 0), "open a pipe to a program");
    if (how.pipesize)
        throw_if_error(set_pipe_capacity(ends.writer.get(), *how.pipesize),
                       "set the capacity of a pipe");
    streams.ours[number] = std::move(number == 0 ? ends.writer : ends.reader);
    streams.theirs[number] = std::move(number == 0 ? ends.reader : ends.writer);
    return streams.theirs[number].get();
}

/// What stream `number` of the program is to be; `no_handle` for this process' own.
inline native_handle open_stream(std::size_t number, const subprocess::redirection& wanted,
                                 const subprocess::options& how, launch_streams& streams) {
    using kind = subprocess::redirection::kind;
    switch (wanted.type()) {
    case kind::pipe:
        return open_stream_pipe(number, how, streams);
    case kind::null:
        throw_if_error(open_null(streams.theirs[number]), "open the null device");
        return streams.theirs[number].get();
    case kind::handle:
        return wanted.handle();
    case kind::merge:
    case kind::inherit:
        break;
    }
    return no_handle;
}

inline launch_streams open_streams(const subprocess::options& how, launch_plan& plan) {
    launch_streams streams;
    plan.streams[0] = open_stream(0, how.stdin_, how, streams);
    plan.streams[1] = open_stream(1, how.stdout_, how, streams);
    plan.streams[2] = open_stream(2, how.stderr_, how, streams);
    if (how.stderr_.type() == subprocess::redirection::kind::merge)
        plan.streams[2] = plan.streams[1] != no_handle ? plan.streams[1] : standard_stream(1);
    return streams;
}

/// What was tried, for the error of a start that failed.
inline std::string describe_step(launch_step step, const std::string& program,
                                 const std::string& directory) {
    switch (step) {
    case launch_step::directory:
        return "enter directory '" + directory + "' to start '" + program + "'";
    case launch_step::session:
        return "set session or process group of '" + program + "'";
    case launch_step::streams:
        return "redirect the streams of '" + program + "'";
    case launch_step::inherited:
        return "pass handles to '" + program + "'";
    case launch_step::start:
    case launch_step::tie:
    case launch_step::program:
        break;
    }
    return "start '" + program + "'";
}

/// Starts the program, and returns this process' ends of its pipes. Throws `std::system_error`
/// naming the program, or the directory where that is missing; then nothing is left behind.
inline std::array<handle, 3> launch(const subprocess::command& command,
                                    const subprocess::options& how, child_process& child) {
    launch_plan plan = make_launch_plan(command, how);
    launch_streams streams = open_streams(how, plan);
    // What this process has printed so far comes before what the program prints to the same place.
    if (plan.streams[1] == no_handle || plan.streams[2] == no_handle)
        flush_streams();
    launch_step step = launch_step::start;
    if (const auto ec = child_process::exec(child, plan, step))
        throw_system_error(ec, describe_step(step,
                                             how.executable.empty() ? plan.arguments.front()
                                                                    : how.executable.text(),
                                             plan.directory));
    return std::move(streams.ours);
}

}  // namespace multiprocessing::detail
