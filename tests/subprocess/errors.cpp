// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <cerrno>
#include <string>
#include <type_traits>

#include "support/files.hpp"
#include "support/rounds.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include "support/posix/failing_calls.hpp"
#endif

using multiprocessing::ValueError;
using support::contains;
using support::error_of;
using support::tool;

TEST_CASE("errors: a program that does not exist is named") {
    const support::tidy tidy;
    const auto error = error_of([] { sp::call({"/nonexistent/program", "argument"}); });
    CHECK(error.code() == std::errc::no_such_file_or_directory);
    CHECK(contains(error.what(), "'/nonexistent/program'"));
    CHECK(error_of([] { sp::call({"no-such-program"}); }).code() ==
          std::errc::no_such_file_or_directory);
    CHECK(contains(error_of([] { sp::call(tool(), {.executable = "/no/such"}); }).what(),
                   "'/no/such'"));
}

#if defined(MULTIPROCESSING_POSIX)  // The files and the reasons are POSIX's.
TEST_CASE("errors: the reason is the system's") {
    const support::tidy tidy;
    CHECK(error_of([] { sp::call({"/etc/passwd"}); }).code().value() == EACCES);
    CHECK(error_of([] { sp::call({"/tmp"}); }).code().value() == EACCES);
    CHECK(error_of([] { sp::call({"/etc/passwd/x"}); }).code().value() == ENOTDIR);
    CHECK(error_of([] { sp::call({""}); }).code().value() == ENOENT);
    CHECK(error_of([] { sp::call({"true", std::string(1 << 20, 'x')}); }).code().value() == E2BIG);
}
#endif

TEST_CASE("errors: a missing directory is named") {
    const support::tidy tidy;
    const auto error = error_of([] { sp::call(tool(), {.cwd = "/no/such/directory"}); });
#if defined(MULTIPROCESSING_POSIX)  // Windows has an error of its own for it, ERROR_DIRECTORY.
    CHECK(error.code() == std::errc::no_such_file_or_directory);
#endif
    CHECK(contains(error.what(), "'/no/such/directory'"));
}

TEST_CASE("errors: handles that are not open") {
    const support::tidy tidy;
    const auto none = support::never_opened();
    CHECK(error_of([&] { sp::call(tool(), {.stdout_ = none}); }).code() ==
          std::errc::bad_file_descriptor);
    CHECK(error_of([&] { sp::call(tool(), {.pass_fds = {none}}); }).code() ==
          std::errc::bad_file_descriptor);
#if defined(MULTIPROCESSING_POSIX)
    CHECK(error_of([] { sp::call(tool(), {.process_group = 999999999}); }).code().value() != 0);
#endif
}

TEST_CASE("errors: what cannot reach a program is refused before anything starts") {
    const support::tidy tidy;
    using namespace std::string_literals;
    CHECK_THROWS_AS(sp::call({}), ValueError);
    CHECK_THROWS_AS(sp::Popen(std::vector<std::string>{}), ValueError);
    CHECK_THROWS_AS(sp::call({"\0true"s}), ValueError);
    CHECK_THROWS_AS(sp::call({"true", "a\0b"s}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.executable = "a\0b"s}), ValueError);
    CHECK_THROWS_AS(sp::call(tool(), {.cwd = "a\0b"s}), ValueError);
}

TEST_CASE("errors: a thousand failed starts leave nothing behind") {
    const support::tidy tidy;
    for (int i = 0; i < support::rounds(1000); ++i)
        CHECK_THROWS_AS(sp::Popen({"no-such-program"}, {.stdin_ = sp::PIPE,
                                                        .stdout_ = sp::PIPE,
                                                        .stderr_ = sp::PIPE,
                                                        .die_with_parent = i % 2 == 0}),
                        std::system_error);
}

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
TEST_CASE("errors: no pipe to be had") {
    const support::tidy tidy;
    for (int nth = 1; nth <= 3; ++nth) {
        const support::failure full(support::pipe2_call, EMFILE, nth);
        const auto error = error_of([] {
            sp::Popen(tool(), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
        });
        CHECK(error.code().value() == EMFILE);
    }
    const support::failure full(support::pipe2_call, ENFILE);
    CHECK(error_of([] { sp::call(tool(), {.die_with_parent = true}); }).code().value() == ENFILE);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // A program on Windows cannot replace a function of the
                                    // system's.
TEST_CASE("errors: no process to be had") {
    const support::tidy tidy;
    const support::failure full(support::clone_call, EAGAIN);
    const auto error = error_of([] { sp::run(tool(), {.capture_output = true, .input = "x"}); });
    CHECK(error.code().value() == EAGAIN);
    CHECK(contains(error.what(), "'" + support::tool_path() + "'"));
}
#endif

TEST_CASE("errors: the sentences are Python's") {
    const sp::command command{"sleep", "it's"};
    CHECK(std::string(sp::CalledProcessError(3, command).what()) ==
          "Command '['sleep', \"it's\"]' returned non-zero exit status 3.");
    CHECK(std::string(sp::CalledProcessError(-9, "script").what()) ==
          "Command 'script' died with SIGKILL.");
    CHECK(std::string(sp::CalledProcessError(-99, "script").what()) ==
          "Command 'script' died with unknown signal 99.");
    CHECK(contains(sp::CalledProcessError(sp::unknown_returncode, "script").what(), "status"));
    CHECK(std::string(sp::TimeoutExpired("script", 1500ms).what()) ==
          "Command 'script' timed out after 1.5 seconds");
    CHECK(std::string(sp::TimeoutExpired("script", 5s).what()) ==
          "Command 'script' timed out after 5 seconds");
    static_assert(std::is_base_of_v<sp::SubprocessError, sp::CalledProcessError>);
    static_assert(std::is_base_of_v<sp::SubprocessError, sp::TimeoutExpired>);
}
