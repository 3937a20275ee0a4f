// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#if defined(MULTIPROCESSING_POSIX)
#include <sys/resource.h>
#include <unistd.h>
#endif

using multiprocessing::ValueError;
using support::tool;

namespace {

struct file_closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using temporary_file = std::unique_ptr<std::FILE, file_closer>;

#if defined(MULTIPROCESSING_POSIX)
temporary_file open_temporary() {
    temporary_file file(std::tmpfile());
    REQUIRE(file);
    return file;
}
#else
// The C library's own would be in the root of the drive, which is not for everybody.
temporary_file open_temporary() {
    char* const name = ::_tempnam(nullptr, "mp");
    temporary_file file(std::fopen(name, "w+bD"));  // D: removed when it is closed.
    std::free(name);
    REQUIRE(file);
    return file;
}
#endif

/// What the system calls it by.
auto native(const temporary_file& file) {
    return multiprocessing::detail::file_handle(file.get());
}

std::string content(const temporary_file& file) {
    std::rewind(file.get());
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    return text;
}

#if defined(MULTIPROCESSING_POSIX)
/// Takes the place of descriptors 0, 1 and 2 for a while.
class saved_streams {
public:
    saved_streams() {
        for (int fd = 0; fd < 3; ++fd)
            copies_[fd] = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    }
    saved_streams(const saved_streams&) = delete;
    saved_streams& operator=(const saved_streams&) = delete;
    ~saved_streams() {
        for (int fd = 0; fd < 3; ++fd) {
            ::dup2(copies_[fd], fd);
            ::close(copies_[fd]);
        }
    }

private:
    int copies_[3];
};
#endif

}  // namespace

TEST_CASE("streams: what is not redirected is not there") {
    const support::tidy tidy;
    sp::Popen p(tool());
    CHECK_FALSE(p.stdin_);
    CHECK_FALSE(p.stdout_);
    CHECK_FALSE(p.stderr_);
    CHECK(p.stdout_.closed());
    CHECK_THROWS_AS(p.stdout_.read(), ValueError);
    CHECK_THROWS_AS(p.stdin_.write("x"), ValueError);
    CHECK_THROWS_AS(p.stderr_.fileno(), ValueError);
    p.stdin_.close();
    CHECK(p.wait() == 0);
}

TEST_CASE("streams: pipes are written and read by hand") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    CHECK(p.stdin_);
    CHECK_FALSE(p.stdout_.poll());
    p.stdin_.write("first\nsecond");
    p.stdin_.flush();
    CHECK(p.stdout_.poll(60s));
    CHECK(p.stdout_.read_some(2) == "fi");
    CHECK(p.stdout_.poll());
    CHECK(p.stdout_.readline() == "rst\n");
    CHECK(p.stdout_.read(3) == "sec");
    p.stdin_.close();
    CHECK(p.stdin_.closed());
    CHECK(p.stdout_.readline() == "ond");
    CHECK(p.stdout_.readline().empty());
    CHECK(p.stdout_.read().empty());
    CHECK(p.stdout_.read_some().empty());
    CHECK(p.wait() == 0);
    CHECK_THROWS_AS(p.stdin_.write("x"), ValueError);
}

TEST_CASE("streams: output is read into memory of the caller's") {
    const support::tidy tidy;
    sp::Popen p(tool("out", "a\nbcdef"), {.stdout_ = sp::PIPE});
    CHECK(p.stdout_.readline() == "a\n");
    std::array<std::byte, 4> memory{};
    CHECK(p.stdout_.read_some(memory) == 4);
    CHECK(memory[3] == std::byte{'e'});
    CHECK(p.stdout_.read_some(std::span<std::byte>()) == 0);
    CHECK(p.stdout_.read_some(memory) == 1);
    CHECK(memory[0] == std::byte{'f'});
    CHECK(p.stdout_.read_some(memory) == 0);
    CHECK(p.wait() == 0);
}

TEST_CASE("streams: writing to a program that is gone is an error and no signal") {
    const support::tidy tidy;
    sp::Popen p(tool(), {.stdin_ = sp::PIPE});
    p.wait();
    CHECK(support::error_of([&] { p.stdin_.write("x"); }).code() == std::errc::broken_pipe);
}

TEST_CASE("streams: a pipe that a timeout left behind still blocks when it is read") {
    const support::tidy tidy;
    sp::Popen p(tool("pause", "200", "count"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    CHECK_THROWS_AS(p.communicate(std::string(150'000, 'x'), 10ms), sp::TimeoutExpired);
    p.stdin_.write(std::string(300'000, 'y'));  // More than the pipe holds.
    p.stdin_.close();
    CHECK(std::stoi(p.stdout_.read()) > 300'000);
    CHECK(p.wait() == 0);
}

TEST_CASE("streams: files, by FILE and by descriptor") {
    const support::tidy tidy;
    const auto in = open_temporary();
    std::fputs("pear", in.get());
    std::rewind(in.get());
    const auto out = open_temporary();
    const auto err = open_temporary();
    sp::call(tool("cat", "err", "strawberry\n"),
             {.stdin_ = in.get(), .stdout_ = native(out), .stderr_ = err.get()});
    CHECK(content(out) == "pear");
    CHECK(content(err) == "strawberry\n");
    CHECK_THROWS_AS(sp::redirection(static_cast<std::FILE*>(nullptr)), ValueError);
    CHECK_THROWS_AS(sp::redirection(-1), ValueError);
}

TEST_CASE("streams: standard error joins standard output") {
    const support::tidy tidy;
    const auto script = tool("out", "apple\n", "err", "orange\n");
    CHECK(sp::run(script, {.stdout_ = sp::PIPE, .stderr_ = sp::STDOUT}).stdout_ ==
          "apple\norange\n");
    const auto file = open_temporary();
    sp::call(script, {.stdout_ = file.get(), .stderr_ = sp::STDOUT});
    CHECK(content(file) == "apple\norange\n");
}

#if defined(MULTIPROCESSING_POSIX)  // Windows knows standard streams by handles, not by numbers.
TEST_CASE("streams: standard error joins the standard output of this process") {
    const support::tidy tidy;
    const auto file = open_temporary();
    {
        multiprocessing::detail::flush_streams();  // The file is for what the programs print.
        const saved_streams saved;
        ::dup2(::fileno(file.get()), 1);
        sp::call(tool("err", "apple\n"), {.stderr_ = sp::STDOUT});
        sp::call(tool("out", "inherited\n"));
    }
    CHECK(content(file) == "apple\ninherited\n");
}
#endif

TEST_CASE("streams: the null device") {
    const support::tidy tidy;
    sp::Popen p(tool("cat", "zeros", "10000000", "err", "x"),
                {.stdin_ = sp::DEVNULL, .stdout_ = sp::DEVNULL, .stderr_ = sp::DEVNULL});
    CHECK_FALSE(p.stdout_);
    CHECK(p.wait() == 0);
}

TEST_CASE("streams: one descriptor for two streams") {
    const support::tidy tidy;
    const auto file = open_temporary();
    const auto fd = native(file);
    CHECK(sp::call(tool("out", "hi\n"), {.stdin_ = fd, .stdout_ = fd}) == 0);
    CHECK(content(file) == "hi\n");
    CHECK(sp::call(tool("err", "ho\n"), {.stdin_ = fd, .stderr_ = fd}) == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // Windows knows standard streams by handles, not by numbers.
TEST_CASE("streams: pipes land where they should when 0, 1 or 2 are free here") {
    const support::tidy tidy;
    for (int closed = 1; closed < 8; ++closed) {
        std::string out;
        std::string err;
        int inherited = -1;
        {
            const saved_streams saved;
            for (int fd = 0; fd < 3; ++fd)
                if ((closed & (1 << fd)) != 0)
                    ::close(fd);
            sp::Popen p(tool("cat", "err", "orange\n"),
                        {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE});
            auto result = p.communicate("apple");
            out = result.stdout_;
            err = result.stderr_;
            inherited = sp::call(tool());
            sp::Popen running(tool());
            for (int fd = 0; fd < 3; ++fd)
                if ((closed & (1 << fd)) != 0 && ::fcntl(fd, F_GETFD) != -1)
                    inherited = 100 + fd;
            running.wait();
        }
        CHECK(out == "apple");
        CHECK(err == "orange\n");
        CHECK(inherited == 0);
    }
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows knows standard streams by handles, not by numbers.
TEST_CASE("streams: this process' own 0, 1 and 2 in any order") {
    const support::tidy tidy;
    std::array<int, 3> order{0, 1, 2};
    do {
        std::array<temporary_file, 3> files{open_temporary(), open_temporary(), open_temporary()};
        int status = -1;
        {
            const saved_streams saved;
            for (int fd = 0; fd < 3; ++fd)
                ::dup2(::fileno(files[static_cast<std::size_t>(fd)].get()), fd);
            status = sp::call(support::shell("echo in >&0; echo out; echo err >&2"),
                              {.stdin_ = order[0], .stdout_ = order[1], .stderr_ = order[2]});
        }
        CHECK(status == 0);
        CHECK(content(files[static_cast<std::size_t>(order[0])]) == "in\n");
        CHECK(content(files[static_cast<std::size_t>(order[1])]) == "out\n");
        CHECK(content(files[static_cast<std::size_t>(order[2])]) == "err\n");
    } while (std::next_permutation(order.begin(), order.end()));
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows shows a program no list of what it has; see
                                    // windows/handles.cpp.
TEST_CASE("streams: a program sees 0, 1, 2 and what is passed, nothing else") {
    const support::tidy tidy;
    int ends[2];
    REQUIRE(::pipe(ends) == 0);  // Inheritable.
    const int high = ::fcntl(ends[0], F_DUPFD, 1000);
    const std::string list = "cd /proc/self/fd && echo *";
    // The shell's own descriptor of the directory is the last number.
    CHECK(sp::getoutput(list) == "0 1 2 3");
    const auto passed =
        sp::check_output(support::shell("test -e /proc/self/fd/" + std::to_string(ends[0]) +
                                        " && test ! -e /proc/self/fd/1000 && echo yes"),
                         {.pass_fds = {ends[0]}});
    CHECK(passed == "yes\n");
    CHECK((::fcntl(ends[0], F_GETFD) & FD_CLOEXEC) == 0);
    CHECK(sp::call(support::shell("test -e /proc/self/fd/1000"), {.close_fds = false}) == 0);
    ::fcntl(high, F_SETFD, FD_CLOEXEC);
    CHECK(sp::call(support::shell("test -e /proc/self/fd/1000"), {.close_fds = false}) == 1);
    CHECK(sp::call(support::shell("test -e /proc/self/fd/1000"),
                   {.close_fds = false, .pass_fds = {high}}) == 0);
    CHECK((::fcntl(high, F_GETFD) & FD_CLOEXEC) != 0);
    ::close(high);
    ::close(ends[0]);
    ::close(ends[1]);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // A shell uses it by its number.
TEST_CASE("streams: a descriptor may be redirected and passed") {
    const support::tidy tidy;
    const auto file = open_temporary();
    const int fd = ::fileno(file.get());
    sp::call(support::shell("echo one; echo two >&" + std::to_string(fd)),
             {.stdout_ = fd, .pass_fds = {fd}});
    CHECK(content(file) == "one\ntwo\n");
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows has no such limit.
TEST_CASE("streams: descriptors above a lowered limit are closed too") {
    const support::tidy tidy;
    const int high = ::fcntl(0, F_DUPFD, 200);
    ::rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    ::rlimit lowered = before;
    lowered.rlim_cur = 100;
    ::setrlimit(RLIMIT_NOFILE, &lowered);
    const int status = sp::call(support::shell("test -e /proc/self/fd/" + std::to_string(high)));
    ::setrlimit(RLIMIT_NOFILE, &before);
    ::close(high);
    CHECK(status == 1);
}
#endif

#if defined(MULTIPROCESSING_POSIX)  // Windows does not tell it.
TEST_CASE("streams: a pipe's capacity") {
    const support::tidy tidy;
    sp::Popen p(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .pipesize = 4096});
    CHECK(::fcntl(p.stdin_.fileno(), F_GETPIPE_SZ) == 4096);
    CHECK(::fcntl(p.stdout_.fileno(), F_GETPIPE_SZ) == 4096);
    p.communicate();
}
#endif

TEST_CASE("streams: a program's pipes are not held open by the next one") {
    const support::tidy tidy;
    sp::Popen first(tool("cat"), {.stdin_ = sp::PIPE});
    sp::Popen second(tool("cat"), {.stdin_ = sp::PIPE});
    sp::Popen third(tool("cat"), {.stdin_ = sp::PIPE, .close_fds = false});
    first.stdin_.close();
    CHECK(first.wait() == 0);
    second.stdin_.close();
    CHECK(second.wait() == 0);
    third.stdin_.close();
    CHECK(third.wait() == 0);
}
