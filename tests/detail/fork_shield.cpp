// SPDX-License-Identifier: MIT
#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
#include <multiprocessing/detail/posix/fork_shield.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <thread>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/posix/forked.hpp"
#include "support/watchdog.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace multiprocessing::detail::posix;

constexpr int count = 8;
constexpr int first_number = 200;

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) != -1;
}

/// Descriptors of numbers that follow each other.
class row {
public:
    row() {
        const int source = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        for (int i = 0; i < count; ++i)
            CHECK(::fcntl(source, F_DUPFD_CLOEXEC, first_number + i) == first_number + i);
        ::close(source);
    }
    row(const row&) = delete;
    row& operator=(const row&) = delete;
    ~row() {
        for (int i = 0; i < count; ++i)
            ::close(first_number + i);
    }
};

/// A bit for each that is open.
int open_ones() {
    int open = 0;
    for (int i = 0; i < count; ++i)
        open |= is_open(first_number + i) ? 1 << i : 0;
    return open;
}

/// Those that a fork of this process has, or, `again`, a fork of such a fork.
int open_in_fork(bool again = false) {
    support::forked child([again] {
        if (!again)
            ::_exit(open_ones());
        const ::pid_t second = ::fork();
        if (second == 0)
            ::_exit(open_ones());
        int status = 0;
        ::waitpid(second, &status, 0);
        ::_exit(WEXITSTATUS(status));
    });
    const int status = child.wait();
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/// Shields those whose bits are set, in an order that is not theirs.
class shielded_row {
public:
    explicit shielded_row(int which) : which_(which) {
        for (const int i : order)
            if ((which_ & (1 << i)) != 0)
                keep_from_forks(first_number + i);
    }
    shielded_row(const shielded_row&) = delete;
    shielded_row& operator=(const shielded_row&) = delete;
    ~shielded_row() {
        for (int i = 0; i < count; ++i)
            if ((which_ & (1 << i)) != 0)
                give_to_forks(first_number + i);
    }

private:
    static constexpr std::array<int, count> order{5, 0, 7, 2, 1, 6, 3, 4};
    int which_;
};

}  // namespace

TEST_CASE("fork shield: a fork has none that is shielded and all others, whatever their numbers") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const row numbers;
    for (int which = 0; which < 1 << count; which += which < 16 ? 1 : 13) {
        const shielded_row shielded(which);
        CHECK(open_in_fork() == (0xFF & ~which));
    }
    CHECK(open_in_fork() == 0xFF);
    CHECK(open_ones() == 0xFF);
}

TEST_CASE("fork shield: one fork of one thread has what is left to its child") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const row numbers;
    const shielded_row shielded(0b0111'1110);
    {
        const std::array<int, 2> others{first_number + 2, first_number + 5};
        const left_to_child left(first_number + 3, others);
        CHECK(open_in_fork() == 0b1010'1101);
        CHECK(open_in_fork(true) == 0b1010'1101);
        std::thread([] { CHECK(open_in_fork() == 0b1000'0001); }).join();
    }
    CHECK(open_in_fork() == 0b1000'0001);
}

TEST_CASE("fork shield: one that is entered twice is shielded until it was given back twice") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const row numbers;
    keep_from_forks(first_number + 4);
    keep_from_forks(first_number + 4);
    CHECK(open_in_fork() == 0b1110'1111);
    give_to_forks(first_number + 4);
    CHECK(open_in_fork() == 0b1110'1111);
    give_to_forks(first_number + 4);
    CHECK(open_in_fork() == 0xFF);
}
#endif
