// SPDX-License-Identifier: MIT
// What a fork, also one that the user makes, must do for the library's own state.
#pragma once

#include <mutex>
#include <vector>

#include <multiprocessing/detail/library_mutex.hpp>

#include <pthread.h>

namespace multiprocessing::detail::posix {

/// Held while the library asks the loader what is loaded, and for nothing else. It answers under a
/// lock of its own, which a child that is forked meanwhile would find taken for ever: a fork waits.
/// Whoever has both takes this one before the library's. Of the program's own questions to the
/// loader, its dlopen among them, nothing is known here.
inline std::mutex& loader_mutex() {
    static std::mutex* const mutex = new std::mutex;  // Never destroyed: used until the end.
    return *mutex;
}

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
    /// The locks are taken before the fork and let go on both sides, so the child finds them free,
    /// and the tables as no other thread was changing them.
    fork_hooks() {
        loader_mutex();
        library_mutex();
        ::pthread_atfork(take_locks, let_go_of_locks, [] { instance().run(); });
    }

    static void take_locks() {
        loader_mutex().lock();
        library_mutex().lock();
    }
    static void let_go_of_locks() {
        library_mutex().unlock();
        loader_mutex().unlock();
    }

    void run() noexcept {
        for (const fork_hook hook : hooks_)
            hook();
        let_go_of_locks();
    }

    std::vector<fork_hook> hooks_;
};

/// Made before main: a child that is forked while another thread is the first to be in a function
/// with a static would wait for that one for ever.
inline fork_hooks& early_fork_hooks = fork_hooks::instance();

/// Never taken out again: a library whose hook it is cannot be unloaded. Whoever forks before main,
/// in what is not ordered behind the headers' own statics, has the hooks entered so far.
inline void run_after_fork(fork_hook hook) {
    fork_hooks::instance().add(hook);
}

}  // namespace multiprocessing::detail::posix
