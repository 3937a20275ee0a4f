// SPDX-License-Identifier: MIT
// A call in another process by hand: the library's rings and sleeps, and nothing of its pool.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/ring.hpp>
#include <multiprocessing/detail/spin.hpp>
#include <multiprocessing/detail/worker_channel.hpp>

#include "support/raw.hpp"

namespace bench {

namespace mpd = multiprocessing::detail;

/// A forked child that calls the functions it is told to.
class ring_caller {
public:
    using function = int (*)(int);

    ring_caller()
        : tasks_(channel_.control().tasks, channel_.tasks()),
          replies_(channel_.control().replies, channel_.replies()) {
        child_ = forked([this] { serve(); });
    }
    ring_caller(const ring_caller&) = delete;
    ring_caller& operator=(const ring_caller&) = delete;
    ~ring_caller() {
        send(tasks_, task{});
        wait_for(child_);
    }

    int call(function called, int argument) {
        if (send(tasks_, task{called, argument}))
            patience_.has_woken();
        return receive<int>(replies_, patience_);
    }

private:
    struct task {
        function called = nullptr;
        int argument = 0;
    };

    void serve() {
        mpd::worker_channel channel(channel_.tasks_block(), channel_.replies_block());
        mpd::ring_reader tasks(channel.control().tasks, channel.tasks());
        mpd::ring_writer replies(channel.control().replies, channel.replies());
        mpd::patience patience;
        for (task one = receive<task>(tasks, patience); one.called;
             one = receive<task>(tasks, patience))
            send(replies, one.called(one.argument));
    }

    /// Returns whether the other side slept.
    template <class T>
    static bool send(mpd::ring_writer& to, const T& value) {
        std::error_code ec;
        std::byte* const place = to.reserve(sizeof value, mpd::ring_growth::whenever_full, ec);
        require(place != nullptr);
        std::memcpy(place, &value, sizeof value);
        to.commit();
        return to.publish();
    }
    template <class T>
    static T receive(mpd::ring_reader& from, mpd::patience& patience) {
        std::error_code ec;
        std::span<const std::byte> message;
        while (!from.front(message, ec)) {
            require(!ec);
            if (patience.spin([&] { return from.backlog() != 0; }))
                continue;
            const mpd::patience::sleep now(patience);
            require(!from.wait(mpd::deadline::never()));
        }
        T value;
        std::memcpy(&value, message.data(), sizeof value);
        from.pop();
        from.release();
        return value;
    }

    mpd::worker_channel channel_;
    mpd::ring_writer tasks_;
    mpd::ring_reader replies_;
    mpd::patience patience_;
    ::pid_t child_ = 0;
};

}  // namespace bench
