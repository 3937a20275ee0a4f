// SPDX-License-Identifier: MIT
// The words of a command: where its program may be, its environment, and how it is written down.
// Pure logic, for every system's rules on every system.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// How a system names programs.
struct command_rules {
    /// The words before a script that the shell is to run.
    std::string_view shell;
    std::string_view shell_option;
    /// What stands between the directories of PATH, and within them.
    char list_separator;
    std::string_view directory_separators;
    /// Where programs are looked for without a PATH.
    std::string_view default_path;
};

inline constexpr command_rules posix_command_rules{"/bin/sh", "-c", ':', "/", "/bin:/usr/bin"};
inline constexpr command_rules windows_command_rules{"cmd.exe", "/c", ';', "\\/:", ""};

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// Throws `ValueError` if the text cannot reach a program whole: NUL ends it there.
inline void refuse_nul(std::string_view text, std::string_view role) {
    if (text.find('\0') != text.npos)
        throw ValueError("embedded null byte in " + std::string(role));
}

/// The paths to try for `program`: itself where it names a directory, else one for each directory
/// of `path`, an empty one meaning the directory that the program starts in.
inline std::vector<std::string> program_candidates(std::string_view program, std::string_view path,
                                                   const command_rules& rules) {
    if (program.empty() || program.find_first_of(rules.directory_separators) != program.npos)
        return {std::string(program)};
    std::vector<std::string> candidates;
    for (;;) {
        const std::size_t end = smaller_of(path.find(rules.list_separator), path.size());
        std::string candidate(path.substr(0, end));
        if (candidate.empty())
            candidate = ".";
        if (rules.directory_separators.find(candidate.back()) == std::string_view::npos)
            candidate += rules.directory_separators.front();
        candidates.push_back(candidate.append(program));
        if (end == path.size())
            return candidates;
        path.remove_prefix(end + 1);
    }
}

/// "NAME=value" for each variable; of several of one name the last. Throws `ValueError` for a name
/// that is empty or holds '=', and for NUL.
inline std::vector<std::string> environment_entries(const environment_variables& variables) {
    std::vector<std::string> entries;
    entries.reserve(variables.size());
    std::map<std::string_view, std::size_t> places;
    for (const auto& [name, value] : variables) {
        refuse_nul(name, "the name of an environment variable");
        refuse_nul(value, "environment variable '" + name + "'");
        if (name.empty() || name.find('=') != name.npos)
            throw ValueError("illegal environment variable name '" + name + "'");
        const auto [place, is_new] = places.try_emplace(name, entries.size());
        if (is_new)
            entries.push_back(name + '=' + value);
        else
            entries[place->second] = name + '=' + value;
    }
    return entries;
}

/// The value of a variable among "NAME=value" entries; null if it is not there.
inline const char* find_variable(const std::vector<std::string>& entries, std::string_view name) {
    for (const std::string& entry : entries)
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
            return entry.c_str() + name.size() + 1;
    return nullptr;
}

/// A name as Windows compares it, as far as ASCII goes.
inline std::string upper_name(std::string_view entry) {
    std::string name(entry.substr(0, smaller_of(entry.find('='), entry.size())));
    for (char& c : name)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return name;
}

/// Entries as Windows takes them: sorted by name without regard to case, of one name the last, each
/// ended by NUL and all of them by another.
inline std::string windows_environment_block(const std::vector<std::string>& entries) {
    std::vector<std::pair<std::string, const std::string*>> sorted;
    for (const std::string& entry : entries) {
        const std::string name = upper_name(entry);
        const auto place =
            detail::lower_bound(sorted.begin(), sorted.end(), name,
                                [](const auto& a, const auto& b) { return a.first < b; });
        if (place != sorted.end() && place->first == name)
            place->second = &entry;
        else
            sorted.insert(place, {name, &entry});
    }
    std::string block;
    for (const auto& [name, entry] : sorted)
        block.append(*entry).push_back('\0');
    return block.append(sorted.empty() ? 2 : 1, '\0');
}

/// Appends one argument as the C runtime of Microsoft reads it back.
inline void append_windows_argument(std::string& line, std::string_view argument) {
    const bool quoted = argument.empty() || argument.find_first_of(" \t") != argument.npos;
    if (quoted)
        line += '"';
    std::size_t backslashes = 0;
    for (const char c : argument) {
        if (c == '"')
            line.append(backslashes + 1, '\\');  // Those before a quote count double.
        backslashes = c == '\\' ? backslashes + 1 : 0;
        line += c;
    }
    if (quoted)
        line.append(backslashes, '\\').push_back('"');
}

/// A command line for Windows. Source: "Parsing C++ command-line arguments" of Microsoft's manual,
/// and Python's `subprocess.list2cmdline`.
inline std::string windows_command_line(const std::vector<std::string>& arguments) {
    std::string line;
    for (const std::string& argument : arguments) {
        if (!line.empty())
            line += ' ';
        append_windows_argument(line, argument);
    }
    return line;
}

/// A text as Python's `repr` shows it; what is not ASCII is taken for UTF-8 and left as it is.
inline std::string quoted_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const bool has_single = text.find('\'') != text.npos;
    const char quote = has_single && text.find('"') == text.npos ? '"' : '\'';
    std::string result(1, quote);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == quote || c == '\\')
            result.append(1, '\\').push_back(c);
        else if (c == '\n')
            result += "\\n";
        else if (c == '\r')
            result += "\\r";
        else if (c == '\t')
            result += "\\t";
        else if (byte < 0x20 || byte == 0x7f)
            result.append("\\x").append(1, digits[byte >> 4]).push_back(digits[byte & 15]);
        else
            result += c;
    }
    return result += quote;
}

/// Arguments as Python shows a list of strings.
inline std::string quoted_list(const std::vector<std::string>& arguments) {
    std::string result = "[";
    for (const std::string& argument : arguments)
        result.append(result.size() > 1 ? ", " : "").append(quoted_text(argument));
    return result += ']';
}

}  // namespace multiprocessing::detail
