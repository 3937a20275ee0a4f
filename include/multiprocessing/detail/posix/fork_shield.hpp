// SPDX-License-Identifier: MIT
// Descriptors that the copies of this process must not have.
#pragma once

#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/fork.hpp>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

// Close-on-exec keeps a descriptor from programs, not from a fork by another thread, whose child
// would hold on to it for as long as it lives: the end of a program's input, say, which then never
// ends. Those entered here are closed in every fork before it returns in the child. A fork waits
// for the library's lock, so nothing that is opened and entered under it is ever inherited.
class fork_shield {
public:
    /// What the next fork of one thread has all the same. In the list of the shield, not in memory
    /// of the thread: that is one more page to be copied.
    struct exception {
        ::pthread_t thread;
        int tie;
        std::span<const int> others;
        exception* next = nullptr;
    };

    static fork_shield& instance() {
        static fork_shield* const shield = new fork_shield;  // Never destroyed: used until the end.
        return *shield;
    }

    /// Runs `open(shield)`, which may `enter` what it opens.
    template <class Open>
    auto under_lock(Open open) {
        const std::lock_guard lock(library_mutex());
        return open(*this);
    }
    void reserve(std::size_t more) {
        const std::size_t wanted = shielded_.size() + more;
        if (wanted > shielded_.capacity())
            shielded_.reserve(larger_of(wanted, 2 * shielded_.capacity()));
    }
    void enter(int fd) noexcept { shielded_.insert(place_of(fd), fd); }

    /// Whether it was entered; it no longer is.
    bool leave(int fd) noexcept {
        const std::lock_guard lock(library_mutex());
        return erase(fd);
    }

    /// Closes it. In a fork of the process that entered it there is nothing left to close, and the
    /// number may be another object's by now; what was left to it all the same is its own to close.
    void close(int fd) noexcept {
        const std::lock_guard lock(library_mutex());
        if (erase(fd))
            ::close(fd);  // Nothing to do on failure: the descriptor is gone either way.
    }

    /// The lock is held.
    void add(exception& one) noexcept { one.next = std::exchange(exceptions_, &one); }
    void remove(const exception& one) noexcept {
        exception** place = &exceptions_;
        while (*place != &one)
            place = &(*place)->next;
        *place = one.next;
    }

private:
    fork_shield() {
        run_after_fork([] { instance().drop(); });
    }

    std::vector<int>::iterator place_of(int fd) noexcept {
        return detail::lower_bound(shielded_.begin(), shielded_.end(), fd,
                                   [](int a, int b) { return a < b; });
    }
    bool erase(int fd) noexcept {
        const auto place = place_of(fd);
        if (place == shielded_.end() || *place != fd)
            return false;
        shielded_.erase(place);
        return true;
    }

    /// A call for each run of numbers: most have been opened one behind the other.
    void drop() noexcept {
        for (auto place = shielded_.begin(); place != shielded_.end();) {
            const int first = *place++;
            if (is_excepted(first))
                continue;
            int last = first;
            while (place != shielded_.end() && *place - last <= 1 && !is_excepted(*place))
                last = *place++;
            close_all(first, last);
        }
        shielded_.clear();
        exceptions_ = nullptr;  // What this process forks is not meant.
    }
    /// Of this thread, which is the one that forked.
    bool is_excepted(int fd) const noexcept {
        if (exceptions_ == nullptr)
            return false;
        const ::pthread_t thread = ::pthread_self();
        for (const exception* one = exceptions_; one != nullptr; one = one->next)
            if (::pthread_equal(one->thread, thread) != 0 &&
                (fd == one->tie ||
                 detail::find(one->others.begin(), one->others.end(), fd) != one->others.end()))
                return true;
        return false;
    }
    /// By hand where the kernel cannot (before Linux 5.9).
    static void close_all(int first, int last) noexcept {
        if (first != last && in_child.syscall(SYS_close_range, first, last, 0) == 0)
            return;
        for (int fd = first; fd <= last; ++fd)
            ::close(fd);
    }

    std::vector<int> shielded_;  // In order.
    exception* exceptions_ = nullptr;
};

/// Made before main, as the hooks are.
inline fork_shield& early_fork_shield = fork_shield::instance();

/// While it exists, a fork by this thread leaves these to its child, shielded or not.
class left_to_child {
public:
    left_to_child(int tie, std::span<const int> others) noexcept
        : exception_{::pthread_self(), tie, others} {
        fork_shield::instance().under_lock([&](auto& shield) { shield.add(exception_); });
    }
    left_to_child(const left_to_child&) = delete;
    left_to_child& operator=(const left_to_child&) = delete;
    ~left_to_child() {
        fork_shield::instance().under_lock([&](auto& shield) { shield.remove(exception_); });
    }

private:
    fork_shield::exception exception_;
};

inline void keep_from_forks(int fd) {
    fork_shield::instance().under_lock([fd](fork_shield& shield) {
        shield.reserve(1);
        shield.enter(fd);
    });
}
inline void give_to_forks(int fd) noexcept {
    fork_shield::instance().leave(fd);
}

}  // namespace multiprocessing::detail::posix
