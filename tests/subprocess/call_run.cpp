// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

using multiprocessing::ValueError;
using support::tool;
using support::tool_path;

TEST_CASE("call: returns the exit status") {
    const support::tidy tidy;
    CHECK(sp::call({tool_path(), "exit", "47"}) == 47);
    CHECK(sp::call(tool()) == 0);
}

TEST_CASE("call: passes the environment on") {
    const support::tidy tidy;
    CHECK(support::contains(sp::check_output(tool("environment"), {.env = {{"FRUIT", "banana"}}}),
                            "FRUIT=banana\n"));
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no signals between programs.
TEST_CASE("call: a signal is a negative return code") {
    const support::tidy tidy;
    CHECK(sp::call(support::shell("kill -KILL $$")) == -SIGKILL);
    CHECK(sp::call(support::shell("kill -ABRT $$")) == -SIGABRT);
    CHECK(sp::call(support::shell("kill -FPE $$")) == -SIGFPE);
    CHECK(sp::call(support::shell("kill -SEGV $$")) == -SIGSEGV);
}
#endif

TEST_CASE("call: a list, a range, a string and a path are commands") {
    const support::tidy tidy;
    const std::string name = tool_path();
    const std::filesystem::path program = name;
    const std::string status = "4";
    CHECK(sp::call({program, "exit", status}) == 4);
    CHECK(sp::call(std::vector<std::string>{name, "exit", status}) == 4);
    CHECK(sp::call(std::array<const char*, 3>{name.c_str(), "exit", "5"}) == 5);
    CHECK(sp::call(name.c_str()) == 0);
    CHECK(sp::call(std::string_view(name)) == 0);
    CHECK(sp::call(program) == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // On Windows one string is a whole command line, as in Python.
TEST_CASE("call: one string is the name of a program, spaces and all") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::call("sh -c true"), std::system_error);
}
#endif

TEST_CASE("call: with shell one string is a script") {
    const support::tidy tidy;
    CHECK(sp::call("exit 6", {.shell = true}) == 6);
}

#if defined(MULTIPROCESSING_POSIX)  // cmd.exe gives a script no arguments.
TEST_CASE("call: with shell a list is a script and its arguments") {
    const support::tidy tidy;
    CHECK(sp::check_output({"printf %s-%s \"$0\" \"$1\"", "a b", "c"}, {.shell = true}) == "a b-c");
    CHECK_THROWS_AS(sp::call(std::filesystem::path("/bin/true"), {.shell = true}), ValueError);
}
#endif

TEST_CASE("call: executable replaces the program, or the shell") {
    const support::tidy tidy;
    CHECK(sp::check_output({"name", "out", "hi"}, {.executable = tool_path()}) == "hi");
    CHECK(sp::check_output({"doesnotexist", "out", "hi"},
                           {.executable = std::filesystem::path(tool_path())}) == "hi");
#if defined(MULTIPROCESSING_POSIX)
    CHECK(sp::check_output({"name", "-c", "printf %s \"$0\""}, {.executable = "/bin/sh"}) ==
          "name");
    CHECK(sp::check_output("x", {.executable = "/bin/echo", .shell = true}) == "-c x\n");
#endif
}

TEST_CASE("call: refuses what only run does") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::call(tool(), {.capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.check = true}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.input = "x"}), ValueError);
    CHECK_THROWS_AS(sp::Popen(tool(), {.timeout = 1s}), ValueError);
}

TEST_CASE("check_call: returns 0 or throws") {
    const support::tidy tidy;
    CHECK(sp::check_call(tool()) == 0);
    try {
        sp::check_call(tool("exit", "47"));
        FAIL("nothing was thrown");
    } catch (const sp::CalledProcessError& error) {
        CHECK(error.returncode() == 47);
        CHECK(error.cmd().arguments().back() == "47");
        CHECK(std::string(error.what()) ==
              "Command '" + tool("exit", "47").text() + "' returned non-zero exit status 47.");
    }
}

TEST_CASE("run: tells what came of it") {
    const support::tidy tidy;
    const auto result = sp::run(tool("exit", "47"));
    CHECK(result.returncode == 47);
    CHECK(result.args.arguments().size() == 3);
    CHECK_THROWS_AS(result.check_returncode(), sp::CalledProcessError);
    CHECK_NOTHROW(sp::run(tool()).check_returncode());
    CHECK_NOTHROW(sp::run(tool(), {.check = true}));
    CHECK_THROWS_AS(sp::run(tool("exit", "1"), {.check = true}), sp::CalledProcessError);
}

TEST_CASE("run: captures one stream, or both") {
    const support::tidy tidy;
    const auto script = tool("out", "out", "err", "err");
    CHECK(sp::run(script, {.stdout_ = sp::PIPE, .stderr_ = sp::DEVNULL}).stdout_ == "out");
    CHECK(sp::run(script, {.stdout_ = sp::DEVNULL, .stderr_ = sp::PIPE}).stderr_ == "err");
    const auto both = sp::run(script, {.capture_output = true});
    CHECK(both.stdout_ == "out");
    CHECK(both.stderr_ == "err");
}

TEST_CASE("run: feeds its input") {
    const support::tidy tidy;
    CHECK(sp::run(tool("upper"), {.capture_output = true, .input = "pear"}).stdout_ == "PEAR");
    CHECK(sp::run(tool("cat"), {.capture_output = true, .input = ""}).stdout_.empty());
}

TEST_CASE("run: a failure carries what was captured") {
    const support::tidy tidy;
    try {
        sp::run(tool("out", "out", "err", "err", "exit", "5"),
                {.capture_output = true, .check = true});
        FAIL("nothing was thrown");
    } catch (const sp::CalledProcessError& error) {
        CHECK(error.returncode() == 5);
        CHECK(error.output() == "out");
        CHECK(error.stdout_() == "out");
        CHECK(error.stderr_() == "err");
    }
}

TEST_CASE("run: options that contradict each other are refused before anything starts") {
    const support::tidy tidy;
    CHECK_THROWS_WITH(sp::run(tool(), {.stdin_ = sp::DEVNULL, .input = "x"}),
                      "stdin and input arguments may not both be used.");
    CHECK_THROWS_AS(sp::run(tool(), {.stdout_ = sp::PIPE, .capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::run(tool(), {.stderr_ = sp::PIPE, .capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::run(tool(), {.stdout_ = sp::STDOUT}), ValueError);
    CHECK_THROWS_AS(sp::run(tool(), {.stdin_ = sp::STDOUT}), ValueError);
}

TEST_CASE("check_output: returns what was written") {
    const support::tidy tidy;
    CHECK(sp::check_output(tool("out", "BDFL")) == "BDFL");
    CHECK(sp::check_output(tool("err", "BDFL\n"), {.stderr_ = sp::STDOUT}) == "BDFL\n");
    CHECK(sp::check_output(tool("cat"), {.input = ""}).empty());
    CHECK(sp::check_output(tool("cat"), {.input = "pear"}) == "pear");
    CHECK_THROWS_AS(sp::check_output(tool(), {.stdout_ = sp::PIPE}), ValueError);
    CHECK_THROWS_AS(sp::check_output(tool(), {.check = true}), ValueError);
    CHECK_THROWS_AS(sp::check_output(tool(), {.stdin_ = sp::DEVNULL, .input = "x"}), ValueError);
    CHECK_THROWS_AS(sp::check_output(tool("exit", "5")), sp::CalledProcessError);
}

TEST_CASE("getoutput: a script's output without its last newline") {
    const support::tidy tidy;
    CHECK(sp::getoutput("echo xyzzy") == "xyzzy");
    CHECK(sp::getstatusoutput("exit 3").first == 3);
#if defined(MULTIPROCESSING_POSIX)
    CHECK(sp::getoutput("printf 'a\\n\\n'") == "a\n");
    const auto [status, text] = sp::getstatusoutput("echo lost >&2; exit 3");
    CHECK(status == 3);
    CHECK(text == "lost");
    CHECK(sp::getstatusoutput("kill -TERM $$").first == -SIGTERM);
#endif
}
