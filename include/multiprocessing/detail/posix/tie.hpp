// SPDX-License-Identifier: MIT
// The tie that ends a child when its parent is gone, whatever the parent died of.
#pragma once

#include <csignal>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/error.hpp>
#include <multiprocessing/detail/posix/fork.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

// A tie is a pipe that nothing is ever written to. The parent holds the writing end; the child asks
// the kernel to be sent SIGKILL when anything happens at the reading end, and the only thing that
// can happen is that the last writer is gone. It needs no thread, no handler and no help from the
// parent, survives exec, and does not fire when the thread that started the child ends, which
// PR_SET_PDEATHSIG does. The parent's end must not live on in the child's siblings: descriptors are
// close-on-exec, and after a fork the registry below closes them in the child.

/// The writing ends that this process holds.
class tie_registry {
public:
    static tie_registry& instance() {
        static tie_registry* const registry =
            new tie_registry;  // Never destroyed: used until the end.
        return *registry;
    }

    /// Opens a tie. A fork waits for the lock, so no sibling is born with a writing end that is not
    /// entered here.
    std::error_code open(handle& reader, native_handle& writer) {
        const std::lock_guard lock(library_mutex());
        writers_.reserve(writers_.size() + 1);
        pipe_ends ends;
        if (const auto ec = open_pipe(ends))
            return ec;
        reader = std::move(ends.reader);
        writer = ends.writer.release();
        writers_.push_back(writer);
        return {};
    }

    /// Closes one. In a child of the process that opened it there is nothing left to close, and the
    /// number may be another object by now.
    void close(native_handle writer) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place = detail::find(writers_.begin(), writers_.end(), writer);
        if (place == writers_.end())
            return;
        *place = writers_.back();
        writers_.pop_back();
        ::close(writer);
    }

private:
    tie_registry() {
        run_after_fork([] { instance().drop(); });
    }

    void drop() noexcept {
        for (const native_handle writer : writers_)
            ::close(writer);
        writers_.clear();
    }

    std::vector<native_handle> writers_;
};

/// The parent's end of one tie; letting go of it ends the child.
class tie_holder {
public:
    tie_holder() noexcept = default;
    tie_holder(tie_holder&& other) noexcept : writer_(std::exchange(other.writer_, no_handle)) {}
    tie_holder& operator=(tie_holder&& other) noexcept {
        std::swap(writer_, other.writer_);
        return *this;
    }
    ~tie_holder() {
        if (writer_ != no_handle)
            tie_registry::instance().close(writer_);
    }

    /// Ties a child that is yet to be made: it is to call `tie_to_parent(reader)`. In a fork of
    /// this process the writing end is closed before the fork returns.
    std::error_code open(handle& reader) { return tie_registry::instance().open(reader, writer_); }

private:
    native_handle writer_ = no_handle;
};

/// In the child, before its first instruction of user code. Async-signal-safe. False if the tie
/// could not be made or the parent is gone already: the child must end at once.
inline bool tie_to_parent(native_handle reader) noexcept {
    if (in_child.fcntl(reader, F_SETSIG, SIGKILL) == -1 ||
        in_child.fcntl(reader, F_SETOWN, ::getpid()) == -1 ||
        in_child.fcntl(reader, F_SETFL, O_ASYNC | O_NONBLOCK) == -1)
        return false;
    // A writer that vanished before O_ASYNC was set raised nothing: look once.
    ::pollfd entry{reader, POLLIN, 0};
    return in_child.poll(&entry, 1, 0) == 0;
}

}  // namespace multiprocessing::detail::posix
