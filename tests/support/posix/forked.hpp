// SPDX-License-Identifier: MIT
// A page that a test shares with the children it forks, and a child that can be stopped and killed.
#pragma once

#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <multiprocessing/detail/os/memory.hpp>

#include "support/catch.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

template <class T>
class shared_page {
public:
    shared_page() {
        static_assert(sizeof(T) <= multiprocessing::detail::shared_block::page_bytes);
        REQUIRE_FALSE(multiprocessing::detail::shared_block::create(block_, sizeof(T)));
        REQUIRE_FALSE(block_.map(view_, 0, multiprocessing::detail::shared_block::page_bytes));
    }
    T& operator*() const noexcept { return *reinterpret_cast<T*>(view_.data()); }
    T* operator->() const noexcept { return &**this; }

private:
    multiprocessing::detail::shared_block block_;
    multiprocessing::detail::mapping view_;
};

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
    /// Returns when it has stopped, and fails if it ended instead.
    void wait_stopped() {
        int status = 0;
        REQUIRE(::waitpid(pid_, &status, WUNTRACED) == pid_);
        REQUIRE(WIFSTOPPED(status));
    }

private:
    ::pid_t pid_;
};

/// Returns when the process sleeps in the kernel, as in a wait that has begun.
inline void await_sleep(::pid_t pid) {
    for (;;) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(file, text);
        const auto end = text.rfind(')');
        REQUIRE(end != text.npos);
        if (text.at(end + 2) == 'S')
            return;
        std::this_thread::yield();
    }
}

}  // namespace support
