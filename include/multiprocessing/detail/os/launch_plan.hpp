// SPDX-License-Identifier: MIT
// What a program is started with: everything decided before the system is asked, so that it may
// throw.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <multiprocessing/detail/os/handle.hpp>

namespace multiprocessing::detail {

struct launch_plan {
    /// The paths to try in turn; what is missing or may not be executed is passed over.
    std::vector<std::string> candidates;
    /// The program's arguments, its own name first.
    std::vector<std::string> arguments;
    /// (Windows) The same as the one text that the program is given; empty for the arguments,
    /// quoted.
    std::string command_line;
    /// "NAME=value" each; absent means the environment of this process.
    std::optional<std::vector<std::string>> environment;
    /// Where it starts; empty means here.
    std::string directory;
    /// Its standard input, output and error; `no_handle` means the same as this process'.
    std::array<native_handle, 3> streams{no_handle, no_handle, no_handle};
    /// Handles that stay open in it under the same value. All others are closed if `close_others`,
    /// else those that are marked as not inherited.
    std::vector<native_handle> inherited;
    bool close_others = true;
    /// End it when this process ends.
    bool tied = false;
    /// (POSIX) Give it SIGPIPE and SIGXFSZ as the system delivers them, should they be ignored
    /// here.
    bool restore_signals = true;
    /// (POSIX) Make it the leader of a new session, or a member of a process group (0: its own).
    bool new_session = false;
    std::optional<int> process_group;
    std::optional<int> umask;
    /// (Windows) CreateProcess' flags, and how its first window is shown.
    unsigned long creation_flags = 0;
    std::optional<unsigned short> show_window;
};

/// Where a start failed.
enum class launch_step { start, tie, session, directory, streams, inherited, program };

}  // namespace multiprocessing::detail
