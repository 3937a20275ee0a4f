// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/command_line.hpp>

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
