// SPDX-License-Identifier: MIT
// What differs by system about the words of a command; command_line.hpp works by it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace multiprocessing::detail {

/// How a system names programs, and what it gives them.
struct command_rules {
    /// The words before a script that the shell is to run.
    std::string_view shell;
    std::string_view shell_option;
    /// What stands between the directories of PATH, and within them.
    char list_separator;
    std::string_view directory_separators;
    /// Where programs are looked for without a PATH.
    std::string_view default_path;
    /// What is added to the name of a program that has no dot.
    std::string_view program_suffix;
    /// Whether a program is given one text, which it takes apart itself.
    bool one_text;
    /// Whether the names of variables are the same in capitals.
    bool names_ignore_case;
};

/// Where programs are looked for that are named without a directory.
struct program_search {
    /// The directories before those of PATH.
    std::vector<std::string> first;
    std::string path;
    /// What runs scripts and, on Windows, batch files.
    std::string shell;
    std::string batch_shell;
};

inline constexpr command_rules posix_command_rules{"/bin/sh",       "-c", ':',   "/",
                                                   "/bin:/usr/bin", "",   false, false};
inline constexpr command_rules windows_command_rules{
    "cmd.exe", "/c", ';', "\\/:", "", ".exe", true, true};

}  // namespace multiprocessing::detail
