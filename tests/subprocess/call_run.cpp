// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

using multiprocessing::ValueError;
using support::shell;

TEST_CASE("call: returns the exit status") {
    const support::tidy tidy;
    CHECK(sp::call({"/bin/sh", "-c", "exit 47"}) == 47);
    CHECK(sp::call({"true"}) == 0);
}

TEST_CASE("call: passes the environment on") {
    const support::tidy tidy;
    CHECK(sp::call(shell("test \"$FRUIT\" = banana"), {.env = {{"FRUIT", "banana"}}}) == 0);
}

TEST_CASE("call: a signal is a negative return code") {
    const support::tidy tidy;
    CHECK(sp::call(shell("kill -KILL $$")) == -SIGKILL);
    CHECK(sp::call(shell("kill -ABRT $$")) == -SIGABRT);
    CHECK(sp::call(shell("kill -FPE $$")) == -SIGFPE);
    CHECK(sp::call(shell("kill -SEGV $$")) == -SIGSEGV);
}

TEST_CASE("call: a list, a range, a string and a path are commands") {
    const support::tidy tidy;
    const std::filesystem::path program = "/bin/sh";
    const std::string script = "exit 4";
    CHECK(sp::call({program, "-c", script}) == 4);
    CHECK(sp::call(std::vector<std::string>{"sh", "-c", script}) == 4);
    CHECK(sp::call(std::array<const char*, 3>{"sh", "-c", "exit 5"}) == 5);
    CHECK(sp::call("true") == 0);
    CHECK(sp::call(std::string_view("true")) == 0);
    CHECK(sp::call(std::filesystem::path("/bin/true")) == 0);
}

TEST_CASE("call: one string is the name of a program, spaces and all") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::call("sh -c true"), std::system_error);
    CHECK(sp::call("exit 6", {.shell = true}) == 6);
}

TEST_CASE("call: with shell a list is a script and its arguments") {
    const support::tidy tidy;
    CHECK(sp::check_output({"printf %s-%s \"$0\" \"$1\"", "a b", "c"}, {.shell = true}) == "a b-c");
    CHECK_THROWS_AS(sp::call(std::filesystem::path("/bin/true"), {.shell = true}), ValueError);
}

TEST_CASE("call: executable replaces the program, or the shell") {
    const support::tidy tidy;
    CHECK(sp::check_output({"name", "-c", "printf %s \"$0\""}, {.executable = "/bin/sh"}) ==
          "name");
    CHECK(sp::check_output({"doesnotexist", "-c", "echo hi"},
                           {.executable = std::filesystem::path("/bin/sh")}) == "hi\n");
    CHECK(sp::check_output("x", {.executable = "/bin/echo", .shell = true}) == "-c x\n");
}

TEST_CASE("call: refuses what only run does") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::call({"true"}, {.capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::call({"true"}, {.check = true}), ValueError);
    CHECK_THROWS_AS(sp::call({"true"}, {.input = "x"}), ValueError);
    CHECK_THROWS_AS(sp::Popen({"true"}, {.timeout = 1s}), ValueError);
}

TEST_CASE("check_call: returns 0 or throws") {
    const support::tidy tidy;
    CHECK(sp::check_call({"true"}) == 0);
    try {
        sp::check_call(shell("exit 47"));
        FAIL("nothing was thrown");
    } catch (const sp::CalledProcessError& error) {
        CHECK(error.returncode() == 47);
        CHECK(error.cmd().arguments().back() == "exit 47");
        CHECK(std::string(error.what()) == "Command '['/bin/sh', '-c', 'exit 47']' returned "
                                           "non-zero exit status 47.");
    }
}

TEST_CASE("run: tells what came of it") {
    const support::tidy tidy;
    const auto result = sp::run(shell("exit 47"));
    CHECK(result.returncode == 47);
    CHECK(result.args.arguments().size() == 3);
    CHECK_THROWS_AS(result.check_returncode(), sp::CalledProcessError);
    CHECK_NOTHROW(sp::run({"true"}).check_returncode());
    CHECK_NOTHROW(sp::run({"true"}, {.check = true}));
    CHECK_THROWS_AS(sp::run({"false"}, {.check = true}), sp::CalledProcessError);
}

TEST_CASE("run: captures one stream, or both") {
    const support::tidy tidy;
    const auto script = shell("printf out; printf err >&2");
    CHECK(sp::run(script, {.stdout_ = sp::PIPE, .stderr_ = sp::DEVNULL}).stdout_ == "out");
    CHECK(sp::run(script, {.stdout_ = sp::DEVNULL, .stderr_ = sp::PIPE}).stderr_ == "err");
    const auto both = sp::run(script, {.capture_output = true});
    CHECK(both.stdout_ == "out");
    CHECK(both.stderr_ == "err");
}

TEST_CASE("run: feeds its input") {
    const support::tidy tidy;
    CHECK(sp::run({"tr", "a-z", "A-Z"}, {.capture_output = true, .input = "pear"}).stdout_ ==
          "PEAR");
    CHECK(sp::run({"cat"}, {.capture_output = true, .input = ""}).stdout_.empty());
}

TEST_CASE("run: a failure carries what was captured") {
    const support::tidy tidy;
    try {
        sp::run(shell("printf out; printf err >&2; exit 5"),
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
    CHECK_THROWS_WITH(sp::run({"true"}, {.stdin_ = sp::DEVNULL, .input = "x"}),
                      "stdin and input arguments may not both be used.");
    CHECK_THROWS_AS(sp::run({"true"}, {.stdout_ = sp::PIPE, .capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::run({"true"}, {.stderr_ = sp::PIPE, .capture_output = true}), ValueError);
    CHECK_THROWS_AS(sp::run({"true"}, {.stdout_ = sp::STDOUT}), ValueError);
    CHECK_THROWS_AS(sp::run({"true"}, {.stdin_ = sp::STDOUT}), ValueError);
}

TEST_CASE("check_output: returns what was written") {
    const support::tidy tidy;
    CHECK(sp::check_output({"printf", "BDFL"}) == "BDFL");
    CHECK(sp::check_output(shell("echo BDFL >&2"), {.stderr_ = sp::STDOUT}) == "BDFL\n");
    CHECK(sp::check_output({"cat"}, {.input = ""}).empty());
    CHECK(sp::check_output({"cat"}, {.input = "pear"}) == "pear");
    CHECK_THROWS_AS(sp::check_output({"true"}, {.stdout_ = sp::PIPE}), ValueError);
    CHECK_THROWS_AS(sp::check_output({"true"}, {.check = true}), ValueError);
    CHECK_THROWS_AS(sp::check_output({"true"}, {.stdin_ = sp::DEVNULL, .input = "x"}), ValueError);
    CHECK_THROWS_AS(sp::check_output(shell("exit 5")), sp::CalledProcessError);
}

TEST_CASE("getoutput: a script's output without its last newline") {
    const support::tidy tidy;
    CHECK(sp::getoutput("echo xyzzy") == "xyzzy");
    CHECK(sp::getoutput("printf 'a\\n\\n'") == "a\n");
    const auto [status, text] = sp::getstatusoutput("echo lost >&2; exit 3");
    CHECK(status == 3);
    CHECK(text == "lost");
    CHECK(sp::getstatusoutput("kill -TERM $$").first == -SIGTERM);
}
