// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <string>

using support::shell;

TEST_CASE("pipeline: one program's output is the next one's input") {
    const support::tidy tidy;
    sp::Popen first({"printf", "c\\na\\nb\\n"}, {.stdout_ = sp::PIPE});
    sp::Popen second({"sort"}, {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    CHECK(second.communicate().stdout_ == "a\nb\nc\n");
    CHECK(first.wait() == 0);
}

TEST_CASE("pipeline: the first ends of SIGPIPE when the last stops reading") {
    const support::tidy tidy;
    sp::Popen first({"yes"}, {.stdout_ = sp::PIPE});
    sp::Popen second({"head", "-n", "2"}, {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    CHECK(second.communicate().stdout_ == "y\ny\n");
    CHECK(first.wait() == -SIGPIPE);
}

TEST_CASE("pipeline: fed at one end, read at the other, failing in the middle") {
    const support::tidy tidy;
    sp::Popen first({"cat"}, {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    sp::Popen second(shell("tr a-z A-Z; exit 3"), {.stdin_ = first.stdout_, .stdout_ = sp::PIPE});
    first.stdout_.close();
    sp::Popen third({"cat"}, {.stdin_ = second.stdout_, .stdout_ = sp::PIPE});
    second.stdout_.close();
    first.communicate("pear");
    CHECK(third.communicate().stdout_ == "PEAR");
    CHECK(first.returncode() == 0);
    CHECK(second.wait() == 3);
    CHECK(third.returncode() == 0);
}

TEST_CASE("pipeline: a stream that is not a pipe cannot be handed on") {
    const support::tidy tidy;
    sp::Popen first({"true"});
    CHECK_THROWS_AS(sp::Popen({"cat"}, {.stdin_ = first.stdout_}), multiprocessing::ValueError);
    first.wait();
}

TEST_CASE("pipeline: thousands of starts open nothing that stays") {
    const support::tidy tidy;
    for (int i = 0; i < 1000; ++i)
        REQUIRE(sp::run({"echo", "x"}, {.capture_output = true}).stdout_ == "x\n");
}
