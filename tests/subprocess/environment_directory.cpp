// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#if defined(MULTIPROCESSING_POSIX)
#include <unistd.h>
#endif

using multiprocessing::ValueError;
using support::tool;

namespace {

#if defined(MULTIPROCESSING_POSIX)
using support::shell;

/// A new directory that is removed with all it holds.
class temporary_directory {
public:
    temporary_directory() {
        char name[] = "/tmp/multiprocessing-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        path_ = std::filesystem::canonical(name);
    }
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;
    ~temporary_directory() { std::filesystem::remove_all(path_); }

    const std::filesystem::path& path() const { return path_; }

    void add_script(const std::filesystem::path& name, const std::string& text,
                    std::filesystem::perms mode = std::filesystem::perms::owner_all) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << "#!/bin/sh\n" << text << '\n';
        std::filesystem::permissions(path_ / name, mode);
    }

private:
    std::filesystem::path path_;
};

void set_variable(const char* name, const char* value) {
    ::setenv(name, value, 1);
}
void unset_variable(const char* name) {
    ::unsetenv(name);
}
#else
void set_variable(const char* name, const char* value) {
    ::_putenv((std::string(name) + "=" + value).c_str());
}
void unset_variable(const char* name) {
    ::_putenv((std::string(name) + "=").c_str());
}
#endif

/// What a program gets of the two variables of these tests.
std::string seen(const sp::options& how = {}) {
    const std::string all = "\n" + sp::check_output(tool("environment"), how);
    std::string found;
    for (const std::string name : {"SUBPROCESS_TEST", "FRUIT"}) {
        const auto at = all.find("\n" + name + "=");
        if (at != all.npos)
            found += all.substr(at + 1, all.find('\n', at + 1) - at);
    }
    return found;
}

}  // namespace

TEST_CASE("environment: it replaces that of this process") {
    const support::tidy tidy;
    set_variable("SUBPROCESS_TEST", "inherited");
    CHECK(seen() == "SUBPROCESS_TEST=inherited\n");
    CHECK(seen({.env = {{"FRUIT", "orange"}}}) == "FRUIT=orange\n");
    const std::map<std::string, std::string> map{{"FRUIT", "pear"}};
    CHECK(seen({.env = map}) == "FRUIT=pear\n");
    const std::vector<std::pair<const char*, std::string_view>> pairs{{"FRUIT", "fig"}};
    CHECK(seen({.env = pairs}) == "FRUIT=fig\n");
    CHECK(seen({.env = sp::environment::current().set("FRUIT", "nut")}) ==
          "SUBPROCESS_TEST=inherited\nFRUIT=nut\n");
    CHECK(seen({.env = sp::environment::current().unset("SUBPROCESS_TEST")}).empty());
    unset_variable("SUBPROCESS_TEST");
}

#if defined(MULTIPROCESSING_POSIX)  // Windows programs need some variables, such as SystemRoot.
TEST_CASE("environment: empty is really empty, and one variable is one") {
    const support::tidy tidy;
    CHECK(sp::check_output({"/usr/bin/env"}, {.env = {}}).empty());
    CHECK(sp::check_output({"/usr/bin/env"}, {.env = {{"A", "1"}}}) == "A=1\n");
}
#endif

TEST_CASE("environment: of several of one name the last counts") {
    const support::tidy tidy;
    CHECK(seen({.env = {{"FRUIT", "1"}, {"SUBPROCESS_TEST", "2"}, {"FRUIT", "3"}}}) ==
          "SUBPROCESS_TEST=2\nFRUIT=3\n");
}

#if defined(MULTIPROCESSING_POSIX)  // On Windows the environment is Unicode; see windows/texts.cpp.
TEST_CASE("environment: bytes pass as they are, '=' in a value too") {
    const support::tidy tidy;
    CHECK(sp::check_output({"/usr/bin/env"}, {.env = {{"A", "\xff=\xfe"}}}) == "A=\xff=\xfe\n");
}
#endif

TEST_CASE("environment: what cannot be a variable is refused") {
    const support::tidy tidy;
    using namespace std::string_literals;
    CHECK_THROWS_AS(sp::call(tool(), {.env = {{"A=B", "1"}}}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.env = {{"", "1"}}}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.env = {{"A\0"s, "1"}}}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.env = {{"A", "1\0"s}}}), ValueError);
}

#if defined(MULTIPROCESSING_POSIX)  // Scripts are programs there; see windows/texts.cpp.
TEST_CASE("directory: the program starts in it") {
    const support::tidy tidy;
    const temporary_directory directory;
    CHECK(sp::check_output({"pwd"}, {.cwd = directory.path()}) == directory.path().string() + "\n");
    directory.add_script("tool", "pwd");
    CHECK(sp::check_output({"./tool"}, {.cwd = directory.path()}) ==
          directory.path().string() + "\n");
    CHECK(sp::check_output({"x"}, {.executable = "./tool", .cwd = directory.path()}) ==
          directory.path().string() + "\n");
    CHECK(sp::check_output({directory.path() / "tool"}, {.cwd = "/"}) == "/\n");
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Scripts are programs on POSIX; see windows/texts.cpp.
TEST_CASE("search: by the PATH of the program's own environment") {
    const support::tidy tidy;
    const temporary_directory directory;
    directory.add_script("subprocess-tool", "echo found");
    CHECK_THROWS_AS(sp::call({"subprocess-tool"}), std::system_error);
    CHECK(sp::check_output({"subprocess-tool"}, {.env = {{"PATH", directory.path().string()}}}) ==
          "found\n");
    CHECK(sp::check_output({"true"}, {.env = {{"NO", "PATH"}}}).empty());
    CHECK_THROWS_AS(sp::call({"true"}, {.env = {{"PATH", directory.path().string()}}}),
                    std::system_error);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Scripts are programs on POSIX, and files have permissions.
TEST_CASE("search: passes over directories and files that may not be executed") {
    const support::tidy tidy;
    const temporary_directory directory;
    std::filesystem::create_directories(directory.path() / "first" / "tool");
    directory.add_script("second/tool", "echo no", std::filesystem::perms::owner_read);
    directory.add_script("third/tool", "echo yes");
    const std::string path = (directory.path() / "first").string() + ":" +
                             (directory.path() / "second").string() +
                             "::" + (directory.path() / "third").string();
    CHECK(sp::check_output({"tool"}, {.env = {{"PATH", path}}}) == "yes\n");
    const std::string poor = (directory.path() / "second").string() + ":/nonexistent";
    CHECK(support::error_of([&] {
              sp::call({"tool"}, {.env = {{"PATH", poor}}});
          }).code() == std::errc::permission_denied);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Scripts are programs on POSIX.
TEST_CASE("search: the current directory only where PATH names it") {
    const support::tidy tidy;
    const temporary_directory directory;
    directory.add_script("tool", "echo here");
    CHECK_THROWS_AS(sp::call({"tool"}, {.cwd = directory.path()}), std::system_error);
    CHECK(sp::check_output({"tool"}, {.cwd = directory.path(), .env = {{"PATH", "/nothing::"}}}) ==
          "here\n");
}
#endif

TEST_CASE("arguments: arrive byte for byte") {
    const support::tidy tidy;
    const std::vector<std::string> words{
        "",         " ",         "a\"b",  "'", "\\",
        "tail\\",   "\t",        "$HOME", "*", "{\"key\": [1, \"two\"]}",
        "\xc3\xbc", "new\nline", ""};
    std::vector<std::string> command{support::tool_path(), "arguments"};
    command.insert(command.end(), words.begin(), words.end());
    std::string expected;
    for (const std::string& word : words)
        expected += word + "|";
    CHECK(sp::check_output(command) == expected);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has neither.
TEST_CASE(
    "directory: what cannot be executed in one folder of the PATH is looked for in the next") {
    const support::tidy tidy;
    const temporary_directory folder;
    folder.add_script("first/tool", "exit 1");
    std::filesystem::resize_file(folder.path() / "first/tool", 0);
    std::ofstream(folder.path() / "first/tool") << "no program";
    folder.add_script("second/tool", "exit 7");
    const std::string path =
        (folder.path() / "first").string() + ":" + (folder.path() / "second").string();
    CHECK(sp::call({"tool"}, {.env = {{"PATH", path}}}) == 7);
    CHECK_THROWS_AS(sp::call({(folder.path() / "first/tool").string()}), std::system_error);
}

TEST_CASE("options: umask, session and process group") {
    const support::tidy tidy;
    CHECK(sp::check_output(shell("umask"), {.umask = 0077}) == "0077\n");
    CHECK_THROWS_AS(sp::call({"true"}, {.umask = -1}), ValueError);
    CHECK_THROWS_AS(sp::call({"true"}, {.umask = 01000}), ValueError);
    const std::string ids = "cut -d' ' -f1,5,6 /proc/$$/stat";  // Process, group, session.
    const auto fields = [&](const sp::options& how) {
        const std::string text = sp::check_output(shell(ids), how);
        const auto first = text.find(' ');
        const auto second = text.find(' ', first + 1);
        return std::vector<std::string>{text.substr(0, first),
                                        text.substr(first + 1, second - first - 1),
                                        text.substr(second + 1, text.size() - second - 2)};
    };
    const auto plain = fields({});
    CHECK(plain[1] == std::to_string(::getpgrp()));
    CHECK(plain[2] == std::to_string(::getsid(0)));
    const auto session = fields({.start_new_session = true});
    CHECK(session[2] == session[0]);
    CHECK(session[1] == session[0]);
    const auto group = fields({.process_group = 0});
    CHECK(group[1] == group[0]);
    CHECK(group[2] == plain[2]);
}
#endif
