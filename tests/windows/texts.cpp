// SPDX-License-Identifier: MIT
// Windows only: what a program gets of its arguments, variables, directory and name there is text
// in Unicode, through one line and one block. Expected values are UTF-8.
#include "support/subprocess.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mp = multiprocessing;
using support::tool;
using support::tool_path;

namespace {

namespace fs = std::filesystem;

const std::string umlauts = "\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac";  // Letters and the euro sign.
const std::string face = "\xf0\x9f\x98\x80";  // A pair of surrogates.

fs::path path_of(const std::string& utf8) {
    return fs::path(std::u8string(utf8.begin(), utf8.end()));
}
std::string utf8_of(const fs::path& path) {
    const auto text = path.u8string();
    return {text.begin(), text.end()};
}

/// A new directory, with spaces and more in its name, that is removed with all it holds.
class temporary_directory {
public:
    temporary_directory()
        : path_(fs::temp_directory_path() /
                path_of("mp " + umlauts + std::to_string(mp::os::getpid()))) {
        fs::create_directories(path_);
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    fs::path operator/(const std::string& name) const { return path_ / path_of(name); }
    std::string text() const { return utf8_of(path_); }

private:
    fs::path path_;
};

std::string seen(const std::vector<std::string>& words) {
    std::vector<std::string> command{tool_path(), "arguments"};
    command.insert(command.end(), words.begin(), words.end());
    return sp::check_output(command);
}

bool has_line(const std::string& text, const std::string& line) {
    return support::contains("\n" + text, "\n" + line + "\n");
}

}  // namespace

TEST_CASE("texts: a program reads back the arguments it was given") {
    const support::tidy tidy;
    const std::vector<std::vector<std::string>> rows{
        {"plain"},
        {"two words", ""},
        {"a\"b", "\"", "\"\"", "\"a b\""},
        {"\\", "a\\", "a b\\", "a\\\\b c", "\\\\server\\share\\"},
        {"a\\\"b", "\\\\\"", "c d\\\\"},
        {"%PATH%", "^", "&", "|", "<>", "(a)", "!x!"},
        {"\ttab", "new\nline"},
        {umlauts, face, umlauts + "\\"},
    };
    for (const auto& row : rows) {
        std::string expected;
        for (const std::string& word : row)
            expected += word + "|";
        CHECK(seen(row) == expected);
    }
}

TEST_CASE("texts: one string is the whole command line") {
    const support::tidy tidy;
    CHECK(sp::check_output("\"" + tool_path() + "\" arguments \"two words\" a\\\"b") ==
          "two words|a\"b|");
}

TEST_CASE("texts: variables are Unicode, and of names that differ in case the last counts") {
    const support::tidy tidy;
    const auto variables = [](const sp::environment& env) {
        return sp::check_output(tool("environment"), {.env = env});
    };
    const auto all = variables({{"zebra", umlauts},
                                {"Apple", face},
                                {"Path_Test", "1"},
                                {"PATH_TEST", "2"},
                                {"empty_value", "=x"}});
    CHECK(has_line(all, "zebra=" + umlauts));
    CHECK(has_line(all, "Apple=" + face));
    CHECK(has_line(all, "PATH_TEST=2"));
    CHECK_FALSE(support::contains(all, "Path_Test"));
    CHECK(has_line(all, "empty_value==x"));
    CHECK(all.find("Apple=") < all.find("zebra="));
    auto current = sp::environment::current();
    CHECK(has_line(variables(current.set("Umlauts", umlauts)), "Umlauts=" + umlauts));
}

TEST_CASE("texts: a program is found, and starts, in directories with any name") {
    const support::tidy tidy;
    const temporary_directory directory;
    const fs::path copy = directory / ("tool " + face + ".exe");
    fs::copy_file(fs::path(tool_path()), copy);
    CHECK(sp::check_output({utf8_of(copy), "out", "found"}) == "found");
    CHECK(sp::check_output({copy, "out", "by its path"}) == "by its path");
    CHECK(fs::equivalent(path_of([&] {
                             auto line =
                                 sp::check_output(tool("directory"), {.cwd = directory.text()});
                             line.pop_back();
                             return line;
                         }()),
                         path_of(directory.text())));
}

TEST_CASE("texts: a batch file gets its arguments, and none of them is a command") {
    const support::tidy tidy;
    const temporary_directory directory;
    const fs::path batch = directory / "show.bat";
    std::ofstream(batch) << "@echo off\r\necho [%~1][%~2]\r\nexit /b 7\r\n";
    const auto result = sp::run({utf8_of(batch), "two words", "x"}, {.stdout_ = sp::PIPE});
    CHECK(result.returncode == 7);
    CHECK(result.stdout_ == "[two words][x]\r\n");
    // One that does not write down what it gets, which would make commands of it by itself.
    std::ofstream(batch) << "@exit /b 7\r\n";
    const fs::path trace = directory / "trace";
    for (const char* const attack : {"&echo.>trace", "\"&echo.>trace", "x\"&echo.>trace&\"",
                                     "|echo.>trace", "^&echo.>trace"}) {
        sp::run({utf8_of(batch), attack}, {.stdout_ = sp::DEVNULL, .cwd = directory.text()});
        CHECK_FALSE(fs::exists(trace));
    }
    CHECK_THROWS_AS(sp::call({utf8_of(batch), "a\r\nb"}), mp::ValueError);
}
