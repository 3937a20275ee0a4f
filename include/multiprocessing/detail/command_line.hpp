// SPDX-License-Identifier: MIT
// The words of a command: where its program may be, its environment, and how it is written down.
// Pure logic, for every system's rules on every system.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/command_rules.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

using environment_variables = std::vector<std::pair<std::string, std::string>>;

/// Throws `ValueError` if the text cannot reach a program whole: NUL ends it there.
inline void refuse_nul(std::string_view text, std::string_view role) {
    if (text.find('\0') != text.npos)
        throw ValueError("embedded null byte in " + std::string(role));
}

/// A program in a directory; an empty one means the directory that the program starts in.
inline std::string path_in(std::string directory, std::string_view program,
                           const command_rules& rules) {
    if (directory.empty())
        directory = ".";
    if (rules.directory_separators.find(directory.back()) == std::string_view::npos)
        directory += rules.directory_separators.front();
    return directory.append(program);
}

/// Where the last part of a path has a dot. Windows adds its suffix only to names without.
inline bool has_dot(std::string_view program, const command_rules& rules) {
    const std::size_t start = program.find_last_of(rules.directory_separators);
    return program.find('.', start == program.npos ? 0 : start) != program.npos;
}

/// The paths to try for `program`: itself where it names a directory, else one for each directory
/// of `path`.
inline std::vector<std::string> program_candidates(std::string_view program, std::string_view path,
                                                   const command_rules& rules) {
    std::string name(program);
    if (!program.empty() && !has_dot(program, rules))
        name += rules.program_suffix;
    if (program.empty() || program.find_first_of(rules.directory_separators) != program.npos)
        return name == program ? std::vector{name} : std::vector{name, std::string(program)};
    std::vector<std::string> candidates;
    for (;;) {
        const std::size_t end = smaller_of(path.find(rules.list_separator), path.size());
        candidates.push_back(path_in(std::string(path.substr(0, end)), name, rules));
        if (end == path.size())
            return candidates;
        path.remove_prefix(end + 1);
    }
}

/// The same with the directories that come before those of PATH.
inline std::vector<std::string> program_candidates(std::string_view program,
                                                   const program_search& search,
                                                   const command_rules& rules) {
    std::string path;
    for (const std::string& directory : search.first)
        path.append(directory).push_back(rules.list_separator);
    return program_candidates(program, path + search.path, rules);
}

/// "NAME=value" for each variable; of several of one name the last. Throws `ValueError` for a name
/// that is empty or holds '=', and for NUL.
inline std::vector<std::string> environment_entries(const environment_variables& variables) {
    std::vector<std::string> entries;
    entries.reserve(variables.size());
    std::vector<std::size_t> sorted;  // Places of entries, by their names.
    const auto comes_before = [&](std::size_t place, std::string_view start) {
        return entries[place].compare(0, start.size(), start) < 0;
    };
    for (const auto& [name, value] : variables) {
        refuse_nul(name, "the name of an environment variable");
        refuse_nul(value, "environment variable '" + name + "'");
        if (name.empty() || name.find('=') != name.npos)
            throw ValueError("illegal environment variable name '" + name + "'");
        std::string entry = name + '=' + value;
        const std::string_view start(entry.data(), name.size() + 1);
        const auto at = detail::lower_bound(sorted.begin(), sorted.end(), start, comes_before);
        if (at != sorted.end() && entries[*at].starts_with(start)) {
            entries[*at] = std::move(entry);
        } else {
            sorted.insert(at, entries.size());
            entries.push_back(std::move(entry));
        }
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

/// In capitals, as far as ASCII goes: Windows compares names so.
inline std::string in_capitals(std::string_view text) {
    std::string capitals(text);
    for (char& c : capitals)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return capitals;
}

/// The name of a variable as Windows compares it. Those that keep the directory of each drive begin
/// with '='.
inline std::string upper_name(std::string_view entry) {
    return in_capitals(entry.substr(0, smaller_of(entry.find('=', 1), entry.size())));
}

/// Whether two names mean the same variable.
inline bool same_variable(std::string_view a, std::string_view b, const command_rules& rules) {
    return rules.names_ignore_case ? upper_name(a) == upper_name(b) : a == b;
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

/// Whether Windows runs this file by its interpreter for batch files. What it passes over at the
/// end of a name is passed over here.
inline bool is_batch_file(std::string_view program) {
    const std::size_t last = program.find_last_not_of(". ");
    const std::string name = in_capitals(program.substr(0, last == program.npos ? 0 : last + 1));
    return name.ends_with(".BAT") || name.ends_with(".CMD");
}

/// Appends one argument of a batch file. The interpreter reads the line before the file is given
/// its arguments, and by other rules: within quotes only '%' and the quote itself still mean
/// something to it. So everything but what is plainly harmless is quoted, a quote is doubled, and
/// '%' is written so that the interpreter expands a variable to nothing and leaves one '%'.
/// Source: "BatBadBut: You can't securely execute commands on Windows" (CVE-2024-24576), and the
/// rules that the standard library of Rust drew from it.
inline void append_batch_argument(std::string& line, std::string_view argument) {
    constexpr std::string_view harmless = "#$*+-./:?@\\_";
    const auto is_harmless = [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               harmless.find(c) != harmless.npos;
    };
    const bool quoted =
        argument.empty() || argument.back() == '\\' ||
        detail::find_if_not(argument.begin(), argument.end(), is_harmless) != argument.end();
    if (quoted)
        line += '"';
    std::size_t backslashes = 0;
    for (const char c : argument) {
        if (c == '"')
            line.append(backslashes, '\\').push_back('"');
        else if (c == '%')
            line += "%%cd:~,";
        backslashes = c == '\\' ? backslashes + 1 : 0;
        line += c;
    }
    if (quoted)
        line.append(backslashes, '\\').push_back('"');
}

/// The command line by which `shell`, the interpreter, runs a batch file. Throws `ValueError` for
/// what cannot be handed to one.
inline std::string windows_batch_line(std::string_view shell, std::string_view program,
                                      const std::vector<std::string>& arguments) {
    if (program.find_first_of("\"%\r\n") != program.npos)
        throw ValueError("the name of a batch file holds a character that cannot be quoted");
    std::string line = "\"" + std::string(shell) + "\" /e:ON /v:OFF /d /c \"\"";
    line.append(program).push_back('"');
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i].find_first_of("\r\n") != std::string::npos)
            throw ValueError("an argument of a batch file holds a line break, which would end the "
                             "command there");
        line += ' ';
        append_batch_argument(line, arguments[i]);
    }
    return line += '"';
}

/// The words of a command line for Windows, as the C runtime of Microsoft reads them. In the first,
/// the program's name, backslashes mean nothing.
inline std::vector<std::string> split_windows_command_line(std::string_view line) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at < line.size() || words.empty()) {
        const bool is_program = words.empty();
        std::string& word = words.emplace_back();
        bool quoted = false;
        for (; at < line.size() && (quoted || !is_space(line[at])); ++at) {
            std::size_t backslashes = 0;
            while (!is_program && at + backslashes < line.size() && line[at + backslashes] == '\\')
                ++backslashes;
            at += backslashes;
            const bool before_quote = at < line.size() && line[at] == '"';
            word.append(before_quote ? backslashes / 2 : backslashes, '\\');
            if (before_quote && backslashes % 2 != 0) {
                word += '"';
            } else if (before_quote && quoted && !is_program && at + 1 < line.size() &&
                       line[at + 1] == '"') {
                word += '"';
                ++at;
            } else if (before_quote) {
                quoted = !quoted;
            } else if (at < line.size() && (quoted || !is_space(line[at]))) {
                word += line[at];
            } else {
                break;
            }
        }
        while (at < line.size() && is_space(line[at]))
            ++at;
    }
    return words;
}

/// A program's output as text, where the system ends its lines by two characters.
inline std::string text_lines(std::string output, const command_rules& rules) {
    std::size_t end = 0;
    for (std::size_t at = 0; at < output.size(); ++at) {
        const bool ends_line = rules.one_text && output[at] == '\r' && at + 1 < output.size() &&
                               output[at + 1] == '\n';
        if (!ends_line)
            output[end++] = output[at];
    }
    output.resize(end);
    return output;
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
