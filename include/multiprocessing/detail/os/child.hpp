// SPDX-License-Identifier: MIT
// Seam: starting a process, knowing when and how it ended, and ending it.
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <system_error>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/launch_plan.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/child.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/child.hpp>
#endif

namespace multiprocessing::detail {

/// One child of this process. Its sentinel becomes ready when it has ended, and can be waited for
/// together with others. Where it is tied it ends when this process does, or lets go of this
/// object.
///
/// `can_fork` tells whether `prepare_fork(child, tied)` and then `fork(child, own, body)` exist:
/// `body` runs in a copy of this process, which ends with the status that `body` returns, without
/// running exit handlers or destructors, and ends by `std::terminate` if `body` throws. Of what is
/// kept from copies of this process it has `own`. `exec(child, plan, step)` starts a
/// program at a cost that does not depend on this process' size. `reap(block, exitcode)` fetches
/// how it ended, once: the exit status, or minus the signal; `exitcode` stays empty while it runs.
/// Where another part of the program took it, the system is asked again, and it is an error only if
/// that does not help. `signal(number)` reaches the child and never a stranger that got its number
/// later.
using backend::child_process;

/// run_after_fork(hook): in every child that is a copy of this process, also one that the user
/// forks, `hook` runs first, with the library's lock held: it may only change memory and close
/// handles.
using backend::run_after_fork;

/// open_process(pid, sentinel): a handle that becomes ready when that process has ended.
/// open_parent_process(pid, sentinel): the same for the process that made this one and had the
/// number `pid`; `no_such_process` where it has ended already.
using backend::open_parent_process;
using backend::open_process;

template <class Child>
concept child_contract = std::movable<Child> &&
    requires(Child child, const Child constant, const launch_plan& plan, launch_step& step,
             std::span<const native_handle> own, std::optional<int>& exitcode, int (*body)(),
             handle& sentinel) {
    { Child::can_fork } -> std::convertible_to<bool>;
    { Child::terminate_signal } -> std::convertible_to<int>;
    { Child::kill_signal } -> std::convertible_to<int>;
    { Child::interrupt_signal } -> std::convertible_to<int>;
    { Child::exec(child, plan, step) } -> std::same_as<std::error_code>;
    { constant.pid() }
    noexcept->std::same_as<int>;
    { constant.sentinel() }
    noexcept->std::same_as<native_handle>;
    { child.reap(true, exitcode) } -> std::same_as<std::error_code>;
    { child.signal(0) } -> std::same_as<std::error_code>;
    { open_process(0, sentinel) } -> std::same_as<std::error_code>;
    { open_parent_process(0, sentinel) } -> std::same_as<std::error_code>;
    requires !Child::can_fork || requires {
        { Child::prepare_fork(child, true) } -> std::same_as<std::error_code>;
        { Child::fork(child, own, body) } -> std::same_as<std::error_code>;
    };
};
static_assert(child_contract<child_process>);

}  // namespace multiprocessing::detail
