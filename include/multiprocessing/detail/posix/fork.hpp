// SPDX-License-Identifier: MIT
// What a fork, also one that the user makes, must do for the library's own state.
#pragma once

#include <mutex>
#include <vector>

#include <multiprocessing/detail/library_mutex.hpp>

#include <pthread.h>

namespace multiprocessing::detail::posix {

using fork_hook = void (*)();

class fork_hooks {
public:
    static fork_hooks& instance() {
        static fork_hooks* const hooks = new fork_hooks;  // Never destroyed: used until the end.
        return *hooks;
    }

    void add(fork_hook hook) {
        const std::lock_guard lock(library_mutex());
        hooks_.push_back(hook);
    }

private:
    /// The lock is taken before the fork and let go on both sides, so the child finds it free, and
    /// the tables as no other thread was changing them.
    fork_hooks() {
        library_mutex();
        ::pthread_atfork([] { library_mutex().lock(); }, [] { library_mutex().unlock(); },
                         [] { instance().run(); });
    }

    void run() noexcept {
        for (const fork_hook hook : hooks_)
            hook();
        library_mutex().unlock();
    }

    std::vector<fork_hook> hooks_;
};

inline void run_after_fork(fork_hook hook) {
    fork_hooks::instance().add(hook);
}

}  // namespace multiprocessing::detail::posix
