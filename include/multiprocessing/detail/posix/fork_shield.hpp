// SPDX-License-Identifier: MIT
// Descriptors that the copies of this process must not have.
#pragma once

#include <cstddef>
#include <mutex>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/posix/fork.hpp>

#include <unistd.h>

namespace multiprocessing::detail::posix {

// Close-on-exec keeps a descriptor from programs, not from a fork by another thread, whose child
// would hold on to it for as long as it lives: the end of a program's input, say, which then never
// ends. Those entered here are closed in every fork before it returns in the child. A fork waits
// for the library's lock, so nothing that is opened and entered under it is ever inherited.
class fork_shield {
public:
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
    void reserve(std::size_t more) { shielded_.reserve(shielded_.size() + more); }
    void enter(int fd) noexcept { shielded_.push_back(fd); }

    /// Whether it was entered; it no longer is.
    bool leave(int fd) noexcept {
        const std::lock_guard lock(library_mutex());
        return erase(fd);
    }

    /// Closes it. In a fork of the process that entered it there is nothing left to close, and the
    /// number may be another object's by now.
    void close(int fd) noexcept {
        const std::lock_guard lock(library_mutex());
        if (erase(fd))
            ::close(fd);  // Nothing to do on failure: the descriptor is gone either way.
    }

private:
    fork_shield() {
        run_after_fork([] { instance().drop(); });
    }

    bool erase(int fd) noexcept {
        const auto place = detail::find(shielded_.begin(), shielded_.end(), fd);
        if (place == shielded_.end())
            return false;
        *place = shielded_.back();
        shielded_.pop_back();
        return true;
    }

    void drop() noexcept {
        for (const int fd : shielded_)
            ::close(fd);
        shielded_.clear();
    }

    std::vector<int> shielded_;
};

/// Made before main, as the hooks are.
inline fork_shield& early_fork_shield = fork_shield::instance();

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
