// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/windows_environment.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace multiprocessing;
using namespace std::string_literals;
using words = std::vector<std::string>;

TEST_CASE("command_line: arguments as Windows quotes them") {
    const struct {
        words arguments;
        std::string line;
    } rows[] = {
        {{"a b c", "d", "e"}, "\"a b c\" d e"},
        {{"ab\"c", "\\", "d"}, "ab\\\"c \\ d"},
        {{"ab\"c", " \\", "d"}, "ab\\\"c \" \\\\\" d"},
        {{"a\\\\\\b", "de fg", "h"}, "a\\\\\\b \"de fg\" h"},
        {{"a\\\"b", "c", "d"}, "a\\\\\\\"b c d"},
        {{"a\\\\b c", "d", "e"}, "\"a\\\\b c\" d e"},
        {{"a\\\\b\\ c", "d", "e"}, "\"a\\\\b\\ c\" d e"},
        {{"ab", ""}, "ab \"\""},
        {{"", "a"}, "\"\" a"},
        {{"tab\there"}, "\"tab\there\""},
        {{}, ""},
    };
    for (const auto& row : rows)
        CHECK(detail::windows_command_line(row.arguments) == row.line);
}

TEST_CASE("command_line: where a program may be") {
    const auto posix = [](std::string_view program, std::string_view path) {
        return detail::program_candidates(program, path, detail::posix_command_rules);
    };
    CHECK(posix("ls", "/bin:/usr/bin") == words{"/bin/ls", "/usr/bin/ls"});
    CHECK(posix("ls", "/") == words{"/ls"});
    CHECK(posix("ls", ":/bin/:") == words{"./ls", "/bin/ls", "./ls"});
    CHECK(posix("ls", "") == words{"./ls"});
    CHECK(posix("./ls", "/bin") == words{"./ls"});
    CHECK(posix("/x/ls", "/bin") == words{"/x/ls"});
    CHECK(posix("", "/bin") == words{""});
    const auto windows = [](std::string_view program, std::string_view path) {
        return detail::program_candidates(program, path, detail::windows_command_rules);
    };
    CHECK(windows("a.exe", "C:\\x;D:\\") == words{"C:\\x\\a.exe", "D:\\a.exe"});
    CHECK(windows("C:a.exe", "C:\\x") == words{"C:a.exe"});
    CHECK(windows("y/a.exe", "C:\\x") == words{"y/a.exe"});
    CHECK(windows("a", "C:\\x") == words{"C:\\x\\a.exe"});
    CHECK(windows("a.b", "C:\\x") == words{"C:\\x\\a.b"});
    CHECK(windows("y.z\\a", "C:\\x") == words{"y.z\\a.exe", "y.z\\a"});
    const detail::program_search search{{"C:\\program\\", "."}, "D:\\path", {}, {}};
    CHECK(detail::program_candidates("a", search, detail::windows_command_rules) ==
          words{"C:\\program\\a.exe", ".\\a.exe", "D:\\path\\a.exe"});
    CHECK(detail::program_candidates("ls", {{}, "/bin", {}, {}}, detail::posix_command_rules) ==
          words{"/bin/ls"});
}

TEST_CASE("command_line: what Windows quoted is read back as it was") {
    const words rows[] = {
        {"program"},
        {"a b\\c.exe", "", "x y", "tab\t"},
        {"p", "\"", "\\\"", "\\\\\"x", "end\\", "end of words\\", "a\"b\"c", "\\\\server\\share"},
        {"p", "\xc3\xbc \xe6\x97\xa5", "100%", "^&|<>"},
    };
    for (const words& row : rows)
        CHECK(detail::split_windows_command_line(detail::windows_command_line(row)) == row);
}

// Rows of "Parsing C++ command-line arguments" in Microsoft's manual, and of the program's name.
TEST_CASE("command_line: a line is read as the C runtime of Microsoft reads it") {
    const struct {
        std::string line;
        words read;
    } rows[] = {
        {"p \"a b c\" d e", {"p", "a b c", "d", "e"}},
        {"p \"ab\\\"c\" \"\\\\\" d", {"p", "ab\"c", "\\", "d"}},
        {"p a\\\\\\b d\"e f\"g h", {"p", "a\\\\\\b", "de fg", "h"}},
        {"p a\\\\\\\"b c d", {"p", "a\\\"b", "c", "d"}},
        {"p a\\\\\\\\\"b c\" d e", {"p", "a\\\\b c", "d", "e"}},
        {"p a\"b\"\" c d", {"p", "ab\" c d"}},
        {"\"C:\\a b\\\" x", {"C:\\a b\\", "x"}},
        {"p   ", {"p"}},
        {"", {""}},
        {" x", {"", "x"}},
    };
    for (const auto& row : rows)
        CHECK(detail::split_windows_command_line(row.line) == row.read);
}

// What a batch file is given must be one argument to the interpreter of such files, which expands
// variables within quotes and ends a command at '&' without.
TEST_CASE("command_line: arguments of batch files") {
    const struct {
        std::string argument;
        std::string written;
    } rows[] = {
        {"plain", "plain"},
        {"/c:x.y", "/c:x.y"},
        {"", "\"\""},
        {"a b", "\"a b\""},
        {"a&calc", "\"a&calc\""},
        {"\"&calc", "\"\"\"&calc\""},
        {"%PATH%", "\"%%cd:~,%PATH%%cd:~,%\""},
        {"end\\", "\"end\\\\\""},
        {"a\\\"b", "\"a\\\\\"\"b\""},
        {"x=y", "\"x=y\""},
    };
    for (const auto& row : rows) {
        std::string line;
        detail::append_batch_argument(line, row.argument);
        CHECK(line == row.written);
    }
    CHECK(detail::windows_batch_line("C:\\cmd.exe", "x y.bat", {"x y.bat", "a b"}) ==
          "\"C:\\cmd.exe\" /e:ON /v:OFF /d /c \"\"x y.bat\" \"a b\"\"");
    CHECK_THROWS_AS(detail::windows_batch_line("cmd.exe", "x.bat", {"x.bat", "a\nb"}), ValueError);
    CHECK_THROWS_AS(detail::windows_batch_line("cmd.exe", "%x%.bat", {"x"}), ValueError);
    CHECK(detail::is_batch_file("C:\\a.b\\run.Bat"));
    CHECK(detail::is_batch_file("run.cmd. ."));
    CHECK(detail::is_batch_file("C:\\x=y\\run.bat"));
    CHECK(detail::is_batch_file("a=b.cmd"));
    CHECK_FALSE(detail::is_batch_file("bat"));
    CHECK_FALSE(detail::is_batch_file("run.bat.exe"));
}

TEST_CASE("command_line: lines of text end as C++ ends them") {
    const auto lines = [](const char* output) {
        return detail::text_lines(output, detail::windows_command_rules);
    };
    CHECK(lines("a\r\nb\r\n") == "a\nb\n");
    CHECK(lines("\r\r\n\r") == "\r\n\r");
    CHECK(lines("").empty());
    CHECK(detail::text_lines("a\r\n", detail::posix_command_rules) == "a\r\n");
}

TEST_CASE("command_line: the names of variables are compared as the system does") {
    CHECK(detail::same_variable("Path", "PATH", detail::windows_command_rules));
    CHECK_FALSE(detail::same_variable("Path", "PATH", detail::posix_command_rules));
    CHECK(detail::same_variable("A", "A", detail::posix_command_rules));
}

TEST_CASE("command_line: environments") {
    CHECK(detail::environment_entries({{"A", "1"}, {"AB", "2"}, {"A", "3"}}) ==
          words{"A=3", "AB=2"});
    CHECK(detail::environment_entries({}).empty());
    CHECK_THROWS_AS(detail::environment_entries({{"", "1"}}), ValueError);
    CHECK_THROWS_AS(detail::environment_entries({{"A=", "1"}}), ValueError);
    CHECK_THROWS_AS(detail::environment_entries({{"A", "\0"s}}), ValueError);
    const words entries{"AB=2", "A=", "C=3=4"};
    CHECK(detail::find_variable(entries, "A") == std::string_view());
    CHECK(detail::find_variable(entries, "C") == std::string_view("3=4"));
    CHECK(detail::find_variable(entries, "B") == nullptr);
    CHECK(detail::windows_environment_block({"b=1", "A=2", "B=3"}) == "A=2\0B=3\0\0"s);
    CHECK(detail::windows_environment_block({"=C:=C:\\a", "A=1", "=D:=D:\\"}) ==
          "=C:=C:\\a\0=D:=D:\\\0A=1\0\0"s);
    CHECK(detail::windows_environment_block({}) == "\0\0"s);
}

TEST_CASE("command_line: texts as Python shows them") {
    const struct {
        std::string text;
        std::string shown;
    } rows[] = {
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "\"it's\""},
        {"\"", "'\"'"},
        {"'\"", "'\\'\"'"},
        {"\\", "'\\\\'"},
        {"\n\r\t", "'\\n\\r\\t'"},
        {"\x01\x7f", "'\\x01\\x7f'"},
        {"\xc3\xbc", "'\xc3\xbc'"},
    };
    for (const auto& row : rows)
        CHECK(detail::quoted_text(row.text) == row.shown);
    CHECK(detail::quoted_list({"ls", "-l"}) == "['ls', '-l']");
    CHECK(detail::quoted_list({}) == "[]");
}
