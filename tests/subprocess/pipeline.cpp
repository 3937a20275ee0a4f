// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <string>

#include "support/rounds.hpp"

using support::tool;

TEST_CASE("pipeline: one program's output is the next one's input") {
    const support::tidy tidy;
    sp::Popen first(tool("out", "c\na\nb\n"), {.stdout_ = sp::PIPE});
    sp::Popen second(tool("upper"), {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    CHECK(second.communicate().stdout_ == "C\nA\nB\n");
    CHECK(first.wait() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no SIGPIPE.
TEST_CASE("pipeline: the first ends of SIGPIPE when the last stops reading") {
    const support::tidy tidy;
    sp::Popen first({"yes"}, {.stdout_ = sp::PIPE});
    sp::Popen second({"head", "-n", "2"}, {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    CHECK(second.communicate().stdout_ == "y\ny\n");
    CHECK(first.wait() == -SIGPIPE);
}
#endif

TEST_CASE("pipeline: fed at one end, read at the other, failing in the middle") {
    const support::tidy tidy;
    sp::Popen first(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    sp::Popen second(tool("upper", "exit", "3"), {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    sp::Popen third(tool("cat"), {.stdin_ = second.stdout_, .stdout_ = sp::PIPE});
    second.stdout_.close();
    first.communicate("pear");
    CHECK(third.communicate().stdout_ == "PEAR");
    CHECK(first.returncode() == 0);
    CHECK(second.wait() == 3);
    CHECK(third.returncode() == 0);
}

TEST_CASE("pipeline: a stream that is not a pipe cannot be handed on") {
    const support::tidy tidy;
    sp::Popen first(tool());
    CHECK_THROWS_AS(sp::Popen(tool("cat"), {.stdin_ = first.stdout_}), multiprocessing::ValueError);
    first.wait();
}

TEST_CASE("pipeline: many starts open nothing that stays") {
    const support::tidy tidy;
    for (int i = 0; i < support::rounds(1000); ++i)
        REQUIRE(sp::run(tool("out", "x\n"), {.capture_output = true}).stdout_ == "x\n");
}
