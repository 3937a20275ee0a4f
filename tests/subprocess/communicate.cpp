// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <cstddef>
#include <string>

using multiprocessing::ValueError;
using support::tool;

TEST_CASE("communicate: feeds one stream and reads two") {
    const support::tidy tidy;
    sp::Popen p(tool("cat", "err", "pineapple"),
                {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
    const auto [out, err] = p.communicate("banana");
    CHECK(out == "banana");
    CHECK(err == "pineapple");
    CHECK(p.returncode() == 0);
}

TEST_CASE("communicate: works with any of the pipes") {
    const support::tidy tidy;
    for (int pipes = 0; pipes < 8; ++pipes) {
        const auto stream = [&](int bit) {
            return (pipes & bit) != 0 ? sp::redirection(sp::PIPE) : sp::redirection(sp::DEVNULL);
        };
        sp::Popen p(tool("cat", "err", "error\n"),
                    {.stdin_ = stream(1), .stdout_ = stream(2), .stderr_ = stream(4)});
        const auto [out, err] = p.communicate();
        CHECK(out.empty());
        CHECK(err == ((pipes & 4) != 0 ? "error\n" : ""));
        CHECK((p.stdin_.closed() && p.stdout_.closed() && p.stderr_.closed()));
        CHECK(p.returncode() == 0);
    }
}

TEST_CASE("communicate: megabytes both ways at once do not block each other") {
    const support::tidy tidy;
    std::string input;
    for (int i = 0; input.size() < (5U << 20); ++i)
        input += std::to_string(i);
    sp::Popen p(tool("tee"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
    const auto [out, err] = p.communicate(input);
    CHECK((out == input));
    CHECK((err == input));
}

TEST_CASE("communicate: all byte values arrive as they are") {
    const support::tidy tidy;
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    bytes += "\r\n\r";
    CHECK((sp::run(tool("cat"), {.capture_output = true, .input = bytes}).stdout_ == bytes));
}

TEST_CASE("communicate: a program that does not read its input is no error") {
    const support::tidy tidy;
    const std::string input(1 << 20, 'x');
    sp::Popen p(tool("close", "in", "out", "done"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    CHECK(p.communicate(input).stdout_ == "done");
    CHECK(p.returncode() == 0);
    sp::Popen limited(tool(), {.stdin_ = sp::PIPE});
    limited.communicate(input, 60s);
    CHECK(limited.returncode() == 0);
    sp::Popen alone(tool(), {.stdin_ = sp::PIPE});
    alone.communicate(input);
    CHECK(alone.returncode() == 0);
}

TEST_CASE("communicate: goes on after what was written and read by hand") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    p.stdin_.write("one\ntwo\n");
    CHECK(p.stdout_.readline() == "one\n");
    CHECK(p.communicate("three").stdout_ == "two\nthree");
}

TEST_CASE("communicate: after a timeout it goes on and returns everything") {
    const support::tidy tidy;
    sp::Popen slow(tool("out", "a", "pause", "300", "cat"),
                   {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    const std::string input(200'000, 'i');
    CHECK_THROWS_AS(slow.communicate(input, 50ms), sp::TimeoutExpired);
    CHECK_THROWS_AS(slow.communicate("more", 50ms), ValueError);
    CHECK((slow.communicate().stdout_ == "a" + input));
    CHECK(slow.returncode() == 0);
}

TEST_CASE("communicate: a timeout tells what had come") {
    const support::tidy tidy;
    sp::Popen p(tool("out", "early", "err", "also", "sleep"),
                {.stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
    CHECK(p.stdout_.poll(60s));
    CHECK(p.stderr_.poll(60s));
    try {
        p.communicate({}, 10ms);
        FAIL("nothing was thrown");
    } catch (const sp::TimeoutExpired& expired) {
        CHECK(expired.output() == "early");
        CHECK(expired.stderr_() == "also");
        CHECK(expired.timeout() == 10ms);
    }
    CHECK_THROWS_AS(p.communicate({}, 0s), sp::TimeoutExpired);
    p.kill();
    CHECK(p.communicate().stdout_ == "early");
    CHECK(p.returncode() == -support::kill_signal);
}

// A poll loop that looks at the clock only when nothing is ready never ends here.
TEST_CASE("communicate: the deadline holds against a program that never stops writing") {
    const support::tidy tidy;
    CHECK_THROWS_AS(sp::run(tool("yes"), {.capture_output = true, .timeout = 50ms}),
                    sp::TimeoutExpired);
    sp::Popen p(tool("yes"), {.stdout_ = sp::PIPE});
    CHECK(p.stdout_.read(4) == "y\ny\n");  // Now it runs, which may take longer than the deadline.
    try {
        p.communicate({}, 50ms);
        FAIL("nothing was thrown");
    } catch (const sp::TimeoutExpired& expired) {
        CHECK(expired.output().starts_with("y\ny\n"));
    }
    p.kill();
    p.wait();
}

TEST_CASE("communicate: repeated timeouts after the program closed its output") {
    const support::tidy tidy;
    sp::Popen p(tool("close", "out", "pause", "300"), {.stdout_ = sp::PIPE});
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_AS(p.communicate({}, 10ms), sp::TimeoutExpired);
    CHECK(p.communicate().stdout_.empty());
    CHECK(p.returncode() == 0);
}

TEST_CASE("communicate: once it is over, it returns nothing more") {
    const support::tidy tidy;
    sp::Popen p(tool("out", "once\n"), {.stdout_ = sp::PIPE});
    CHECK(p.communicate().stdout_ == "once\n");
    CHECK(p.communicate().stdout_.empty());
    CHECK(p.communicate({}, 0s).stdout_.empty());
}

TEST_CASE("communicate: input without a pipe for it is refused") {
    const support::tidy tidy;
    sp::Popen p(tool());
    CHECK_THROWS_AS(p.communicate("lost"), ValueError);
    CHECK(p.wait() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // The shell is to have a child of its own.
TEST_CASE("communicate: does not wait for a grandchild once time is up") {
    const support::tidy tidy;
    std::string grandchild;
    try {
        sp::run("sleep 100 & echo $!; wait",
                {.shell = true, .capture_output = true, .timeout = 200ms});
        FAIL("nothing was thrown");
    } catch (const sp::TimeoutExpired& expired) {
        grandchild = expired.output();
    }
    sp::call({"kill", grandchild.substr(0, grandchild.size() - 1)});
}
#endif
