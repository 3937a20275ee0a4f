// SPDX-License-Identifier: MIT
// What a program would write with plain system calls, for the limits beside which we measure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

/// Ends the program where a measured call does not do what it is measured for.
inline void require(bool holds) {
    if (!holds)
        std::abort();
}

using clock_type = std::chrono::steady_clock;

inline double seconds_since(clock_type::time_point start) {
    return std::chrono::duration<double>(clock_type::now() - start).count();
}

inline void wait_for(::pid_t pid) {
    int status = 0;
    require(::waitpid(pid, &status, 0) == pid && status == 0);
}

/// A child by fork that runs `work` and ends.
template <class Work>
::pid_t forked(Work work) {
    const ::pid_t pid = ::fork();
    require(pid >= 0);
    if (pid == 0) {
        work();
        ::_exit(0);
    }
    return pid;
}

/// A program by posix_spawn, with its standard output at `output` unless that is negative.
inline ::pid_t spawned(const std::vector<const char*>& words, int output = -1) {
    std::vector<char*> arguments;
    for (const char* word : words)
        arguments.push_back(const_cast<char*>(word));
    arguments.push_back(nullptr);
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    if (output >= 0)
        ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::pid_t pid = 0;
    require(::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), ::environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/// Memory that processes share, zero at first.
class shared_memory {
public:
    explicit shared_memory(std::size_t bytes)
        : bytes_(bytes),
          data_(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        require(data_ != MAP_FAILED);
    }
    shared_memory(const shared_memory&) = delete;
    shared_memory& operator=(const shared_memory&) = delete;
    ~shared_memory() { ::munmap(data_, bytes_); }

    void* data() const noexcept { return data_; }

private:
    std::size_t bytes_;
    void* data_;
};

/// A parent that is large: memory that a fork has to copy the tables of.
class resident {
public:
    explicit resident(std::size_t bytes) : bytes_(bytes) {
        if (bytes_ == 0)
            return;
        // Populated in one call: page by page it took up to 7 s, where the others take 0.3.
        memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        require(memory_ != MAP_FAILED);
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        unsigned char last = 0;  // It says nothing where there was not enough.
        require(::mincore(static_cast<char*>(memory_) + bytes_ - page, page, &last) == 0);
        require((last & 1) != 0);
    }
    resident(const resident&) = delete;
    resident& operator=(const resident&) = delete;
    ~resident() {
        if (bytes_ != 0)
            ::munmap(memory_, bytes_);
    }

private:
    std::size_t bytes_;
    void* memory_ = nullptr;
};

inline constexpr std::size_t two_GiB = std::size_t{2} << 30;

/// A child that answers each wake-up with one, as two eventfds allow.
class eventfd_echo {
public:
    eventfd_echo() : there_(::eventfd(0, 0)), back_(::eventfd(0, 0)) {
        child_ = forked([this] {
            while (take(there_) == go_on)
                give(back_, go_on);
        });
    }
    eventfd_echo(const eventfd_echo&) = delete;
    eventfd_echo& operator=(const eventfd_echo&) = delete;
    ~eventfd_echo() {
        give(there_, stop);
        wait_for(child_);
        ::close(there_);
        ::close(back_);
    }

    void round_trip() {
        give(there_, go_on);
        take(back_);
    }

private:
    static constexpr std::uint64_t go_on = 1;
    static constexpr std::uint64_t stop = 2;

    static void give(int fd, std::uint64_t value) {
        require(::write(fd, &value, sizeof value) == sizeof value);
    }
    static std::uint64_t take(int fd) {
        std::uint64_t value = 0;
        require(::read(fd, &value, sizeof value) == sizeof value);
        return value;
    }

    int there_;
    int back_;
    ::pid_t child_;
};

/// A child that answers each message of `bytes` bytes with the same, through two streams of the
/// system's: `open(ends)` is ::pipe, or makes a socket pair, and reads at ends[0]. A reader that
/// must not read beyond a message reads the `head` bytes before it first, which say how long it is.
class stream_echo {
public:
    template <class Open>
    stream_echo(std::size_t bytes, Open open, std::size_t head = 0)
        : message_(head + bytes), head_(head) {
        require(open(there_.data()) == 0 && open(back_.data()) == 0);
        child_ = forked([this] {
            ::close(there_[1]);
            while (receive(there_[0]))
                send(back_[1]);
        });
        ::close(there_[0]);
        ::close(back_[1]);
    }
    stream_echo(const stream_echo&) = delete;
    stream_echo& operator=(const stream_echo&) = delete;
    ~stream_echo() {
        ::close(there_[1]);
        wait_for(child_);
        ::close(back_[0]);
    }

    void round_trip() {
        send(there_[1]);
        require(receive(back_[0]));
    }

private:
    void send(int fd) {
        for (std::size_t sent = 0; sent < message_.size();) {
            const ::ssize_t count = ::write(fd, message_.data() + sent, message_.size() - sent);
            require(count > 0);
            sent += static_cast<std::size_t>(count);
        }
    }
    bool receive(int fd) { return fill(fd, 0, head_) && fill(fd, head_, message_.size()); }
    bool fill(int fd, std::size_t got, std::size_t end) {
        while (got < end) {
            const ::ssize_t count = ::read(fd, message_.data() + got, end - got);
            require(count >= 0);
            if (count == 0)
                return false;
            got += static_cast<std::size_t>(count);
        }
        return true;
    }

    std::vector<std::byte> message_;
    std::size_t head_;
    std::array<int, 2> there_{};
    std::array<int, 2> back_{};
    ::pid_t child_ = 0;
};

}  // namespace bench
