// SPDX-License-Identifier: MIT
// A thread that does not end, for operations that are to outlast the thread that wants them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

namespace multiprocessing::detail::windows {

// When a thread ends the system calls off what it has under way, and does not tell how much of it
// had been done. Operations of a handle that has a completion port are spared; but a port keeps a
// note of each operation until somebody fetches it.
class lasting_thread {
public:
    static lasting_thread& instance() {
        static lasting_thread* const thread =
            new lasting_thread;  // Never destroyed: used until the end.
        return *thread;
    }

    /// Runs `body`, which must not block, there; returns its result. Where there can be no such
    /// thread it is run here.
    std::error_code run(const std::function<std::error_code()>& body) {
        std::unique_lock lock(mutex_);
        if (!start())
            return body();
        request mine{&body, {}, false};
        requests_.push_back(&mine);
        changed_.notify_all();
        changed_.wait(lock, [&] { return mine.done; });
        return mine.result;
    }

private:
    struct request {
        const std::function<std::error_code()>* body;
        std::error_code result;
        bool done;
    };

    bool start() {
        try {
            if (!started_)
                std::thread([this] { serve(); }).detach();
            started_ = true;
        } catch (const std::system_error&) {
        }
        return started_;
    }

    [[noreturn]] void serve() noexcept {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return !requests_.empty(); });
            request& next = *requests_.front();
            requests_.pop_front();
            next.result = (*next.body)();
            next.done = true;
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<request*> requests_;
    bool started_ = false;
};

}  // namespace multiprocessing::detail::windows
