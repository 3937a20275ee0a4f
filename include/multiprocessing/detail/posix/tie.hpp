// SPDX-License-Identifier: MIT
// The tie that ends a child when its parent is gone, whatever the parent died of.
#pragma once

#include <csignal>
#include <ctime>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/posix/child_calls.hpp>
#include <multiprocessing/detail/posix/handle.hpp>
#include <multiprocessing/detail/posix/pipe.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace multiprocessing::detail::posix {

// A tie is a pipe that nothing is ever written to. The parent holds the writing end; the child asks
// the kernel to be sent SIGKILL when anything happens at the reading end, and the only thing that
// can happen is that the last writer is gone. It needs no thread, no handler and no help from the
// parent, and does not fire when the thread that started the child ends, which PR_SET_PDEATHSIG
// does. It lasts for as long as the child has the reading end: one that replaces its own program by
// exec is on its own. The parent's end must not live on in the child's siblings: it is shielded.

/// The parent's end of one tie; letting go of it ends the child.
class tie_holder {
public:
    /// Ties a child that is yet to be made: it is to call `tie_to_parent(reader)`. In a fork of
    /// this process both ends are closed before the fork returns, but what is left to the child.
    std::error_code open(handle& reader) {
        pipe_ends ends;
        const auto ec = open_shielded_pipe(ends);
        reader = std::move(ends.reader);
        writer_ = std::move(ends.writer);
        return ec;
    }

private:
    handle writer_;
};

/// In the child, before its first instruction of user code. Async-signal-safe. False if the tie
/// could not be made or the parent is gone already: the child must end at once.
inline bool tie_to_parent(native_handle reader) noexcept {
    if (in_child.fcntl(reader, F_SETSIG, SIGKILL) == -1 ||
        in_child.fcntl(reader, F_SETOWN, ::getpid()) == -1 ||
        in_child.fcntl(reader, F_SETFL, O_ASYNC | O_NONBLOCK) == -1)
        return false;
    // A writer that vanished before O_ASYNC was set raised nothing: look once.
    // The raw call: after clone_and_exec a sanitizer's own poll would run in the parent's memory.
    ::pollfd entry{reader, POLLIN, 0};
    const ::timespec at_once{};
    return in_child.syscall(SYS_ppoll, &entry, 1, &at_once, nullptr, 0) == 0;
}

/// The reading end in a fork of this library, which is written before any of the target's code;
/// absent in one that is not tied and in a program that was started.
inline native_handle tie_of_fork = no_handle;

/// Whether it is this process's own: a fork of the user's has its parent's.
inline bool is_own_tie(native_handle fd) noexcept {
    return in_child.fcntl(fd, F_GETSIG) == SIGKILL && in_child.fcntl(fd, F_GETOWN) == ::getpid();
}

/// A program that was started does not know the number: it looks through those that it may have,
/// and those that it might have had before its limit was lowered. Behind an exec few are open.
inline native_handle find_tie() noexcept {
    if (tie_of_fork != no_handle)
        return is_own_tie(tie_of_fork) ? tie_of_fork : no_handle;
    constexpr long usual_limit = 1024;
    const long limit = ::sysconf(_SC_OPEN_MAX);
    for (native_handle fd = 3; fd < limit || fd < usual_limit; ++fd)
        if (is_own_tie(fd))
            return fd;
    return no_handle;
}

/// What the tie ends is the group that this process leads. On failure it ends this process alone.
inline void tie_group_to_parent() noexcept {
    const native_handle tie = find_tie();
    if (tie != no_handle)
        in_child.fcntl(tie, F_SETOWN, -::getpid());
}

}  // namespace multiprocessing::detail::posix
