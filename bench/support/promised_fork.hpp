// SPDX-License-Identifier: MIT
// Forks by hand that keep what the library promises: what those promises cost at least.
#pragma once

#include "raw.hpp"

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include <cxxabi.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio_ext.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

inline void flush_streams() {
    for (std::ostream* const stream : {&std::cout, &std::cerr, &std::clog})
        stream->rdbuf()->pubsync();
    std::fflush(stdout);
    std::fflush(stderr);
}

/// A child that dies with its parent, has no input, none of the parent's exit handlers and output,
/// flushes its own, and is waited for by a descriptor.
class promised_fork {
public:
    /// Runs `work(tie)` in the child, whose end of the tie that is.
    template <class Work>
    explicit promised_fork(Work work) {
        int tie[2];
        require(::pipe2(tie, O_CLOEXEC) == 0);
        const ::pid_t pid = forked([&] {
            begin(tie);
            work(tie[0]);
            abi::__cxa_finalize(nullptr);  // Meets begin()'s handler first.
        });
        sentinel_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
        require(sentinel_ >= 0);
        ::close(tie[0]);
        tie_ = tie[1];
    }
    promised_fork(const promised_fork&) = delete;
    promised_fork& operator=(const promised_fork&) = delete;

    int sentinel() const { return sentinel_; }
    int tie() const { return tie_; }

    /// Returns its exit status, or minus the signal.
    int join() {
        ::pollfd ended{sentinel_, POLLIN, 0};
        require(::poll(&ended, 1, -1) == 1);
        ::siginfo_t info{};
        require(::waitid(P_PIDFD, static_cast<::id_t>(sentinel_), &info, WEXITED) == 0);
        ::close(std::exchange(sentinel_, -1));
        if (tie_ >= 0)
            ::close(std::exchange(tie_, -1));
        return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    }
    void kill() {
        ::close(std::exchange(tie_, -1));
        require(join() == -SIGKILL);
    }

private:
    static void begin(const int (&tie)[2]) {
        ::close(tie[1]);
        require(::fcntl(tie[0], F_SETSIG, SIGKILL) == 0 &&
                ::fcntl(tie[0], F_SETOWN, ::getpid()) == 0 &&
                ::fcntl(tie[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
        ::pollfd gone{tie[0], POLLIN, 0};
        require(::poll(&gone, 1, 0) == 0);
        std::atexit([] {
            flush_streams();
            ::_exit(0);
        });
        for (std::FILE* const file : {stdin, stdout, stderr})
            ::__fpurge(file);
        const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        require(nothing > 0 && ::dup2(nothing, 0) == 0);
        ::close(nothing);
    }

    int sentinel_ = -1;
    int tie_ = -1;
};

/// Such children that have also what a pool's workers have: two pieces of memory each that only it
/// and the parent have and that can grow, a bell of all, a group of its own, and a parent that
/// hears of its end. What the library asks to be sure of its files, four calls a worker, is left
/// out.
class promised_workers {
public:
    promised_workers()
        : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          listener_(::epoll_create1(EPOLL_CLOEXEC)) {
        require(bell_ >= 0 && listener_ >= 0);
        listen(bell_);
    }
    promised_workers(const promised_workers&) = delete;
    promised_workers& operator=(const promised_workers&) = delete;
    ~promised_workers() {
        for (worker& each : workers_)
            each.child->kill();
        for (const worker& each : workers_) {
            ::munmap(each.shared, control_bytes);
            for (const int memory : each.memory)
                ::close(memory);
        }
        ::close(listener_);
        ::close(bell_);
    }

    /// Calls `work` when it has all that, and waits for its end.
    template <class Work>
    void start(Work work) {
        worker next;
        for (int& memory : next.memory)
            memory = new_memory();
        next.shared = mapped(next.memory[0], 0, control_bytes);
        require(::madvise(next.shared, control_bytes, MADV_DONTFORK) == 0);
        *next.shared = 1;
        next.child = std::make_unique<promised_fork>([&](int tie) {
            for (const worker& other : workers_) {
                ::close(other.child->tie());
                for (const int memory : other.memory)
                    ::close(memory);
            }
            require(::setpgid(0, 0) == 0 && ::fcntl(tie, F_SETOWN, -::getpid()) == 0);
            *mapped(next.memory[0], 0, control_bytes) = 2;
            for (const int memory : next.memory)
                mapped(memory, control_bytes, ring_bytes);
            work();
            for (;;)
                ::pause();
        });
        listen(next.child->sentinel());
        workers_.push_back(std::move(next));
    }

private:
    static constexpr std::size_t control_bytes = 4 * 1024;
    static constexpr std::size_t ring_bytes = 64 * 1024;
    struct worker {
        int memory[2];
        char* shared = nullptr;  // Of the first piece, as the parent sees it.
        std::unique_ptr<promised_fork> child;
    };

    static int new_memory() {
        const int made = ::memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        require(made >= 0 && ::ftruncate(made, control_bytes + ring_bytes) == 0 &&
                ::fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
        return made;
    }
    static char* mapped(int memory, ::off_t from, std::size_t bytes) {
        void* const place =
            ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, from);
        require(place != MAP_FAILED);
        return static_cast<char*>(place);
    }
    void listen(int object) const {
        ::epoll_event ready{EPOLLIN, {}};
        require(::epoll_ctl(listener_, EPOLL_CTL_ADD, object, &ready) == 0);
    }

    int bell_;
    int listener_;
    std::vector<worker> workers_;
};

}  // namespace bench
