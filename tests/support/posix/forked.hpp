// SPDX-License-Identifier: MIT
// A child that a test forks by hand, to be killed.
#pragma once

#include <cerrno>
#include <csignal>

#include "support/catch.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

/// Runs `body` in a fork of this process; killed and waited for at the latest by the destructor.
class forked {
public:
    template <class Body>
    explicit forked(Body body) : pid_(::fork()) {
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // A test that aborts leaves none behind.
            body();
            ::_exit(0);
        }
        REQUIRE(pid_ > 0);
    }
    forked(const forked&) = delete;
    forked& operator=(const forked&) = delete;
    ~forked() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
    }

    ::pid_t pid() const noexcept { return pid_; }
    void signal(int number) { REQUIRE(::kill(pid_, number) == 0); }
    /// Its status, as waitpid gives it.
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) == -1 && errno == EINTR) {
        }
        pid_ = 0;
        return status;
    }

private:
    ::pid_t pid_;
};

}  // namespace support
