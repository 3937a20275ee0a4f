// SPDX-License-Identifier: MIT
// Process: a function that runs in a process of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/process_launch.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/detail/process_target.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/os.hpp>
#include <multiprocessing/spawn.hpp>

namespace multiprocessing {

class Process;

namespace detail {
/// For the library's own parts.
const std::shared_ptr<process_state>& state_of(const Process& process);
}  // namespace detail

/// What may be said of a process besides what it does; used as `{.name = "reader", .daemon =
/// true}`.
struct process_options {
    /// Shown in messages; empty for `Process-N`.
    std::string name{};
    /// Terminated instead of waited for when this process ends, and not allowed children of its
    /// own; absent for what the process that makes it is.
    std::optional<bool> daemon{};
    /// "fork" or "spawn"; empty for what `get_start_method` says.
    std::string start_method{};
    /// Let it run on when this process ends: it is not waited for then. Otherwise it is killed when
    /// this one dies, whatever it dies of.
    bool outlive_parent = false;
};

/// A function that runs in a process of its own. A cheap handle: copies mean the same process, and
/// letting go of them all does not end it. Python: `multiprocessing.Process`.
///
/// The child has no standard input; its standard output and error are this process'. An exception
/// that leaves the target is told on standard error with its type and text, and gives exit code 1;
/// `std::exit` in it gives its status. At the child's end its own children are ended as those of
/// main are, and C's and C++'s standard output and error are flushed. A forked child is a copy of
/// this process: exit handlers and static objects that it got from here are neither run nor
/// destroyed in it, those that the target adds are (with the GNU C library). Threads that the
/// target leaves running end with it.
///
/// Any thread may call any member at any time, but only the process that made it: in another, also
/// in its own child, members that ask the system throw `ProcessError`. After `close()` they throw
/// `ValueError`. The name can always be asked for.
class Process {
public:
    /// The function `target` will be called with `arguments`, once `start()` was called. Under fork
    /// any callable will do; under spawn it and each argument must be able to cross.
    /// Throws `ValueError` where there is no such start method.
    template <class F, class... Ts>
    requires detail::callable_with<std::decay_t<F>, std::tuple<Ts...>>
    Process(F&& target, std::tuple<Ts...> arguments, const process_options& options = {})
        : Process(detail::make_target(std::forward<F>(target), std::move(arguments)), options) {}

    /// The same for a function that takes no arguments.
    template <class F>
    requires detail::callable_with<std::decay_t<F>, std::tuple<>>
    explicit Process(F&& target, const process_options& options = {})
        : Process(std::forward<F>(target), std::tuple<>(), options) {}

    /// Starts the process, after this one's standard output and error were flushed; returns when it
    /// exists. The target and arguments are let go of here. The child is tied to this process: it
    /// is killed when this one dies, before its first instruction of the target already. Throws
    /// `ProcessError` if it was started before, if this process is a daemon or has begun to exit,
    /// or if main has not called `freeze_support` and the start method is spawn; `PicklingError`
    /// where the target or an argument cannot cross; `std::system_error` where the system has no
    /// room for a process.
    void start() {
        check_open();
        check_role("start");
        // Not on this thread's stack: in the child it says who that is, until its end, and a fork of
        // its own may give the stack of a thread that it has not to another one.
        std::make_unique<detail::process_launch>(state_)->run();
    }

    /// Waits until the process ends or `limit` passes; returns whether it has ended. May be called
    /// again. Throws `ProcessError` before `start()`. Python: `Process.join`, which returns None.
    bool join(const timeout& limit = {}) {
        check_open();
        if (!state_->started())
            throw ProcessError("can only join a started process");
        if (state_->role() == detail::process_role::current)
            throw ProcessError("cannot join the current process");
        return wait(detail::deadline::after(limit));
    }

    /// Whether it runs: false before `start()` and after its end.
    bool is_alive() {
        check_open();
        if (!state_->started())
            return false;
        return state_->role() == detail::process_role::current || !wait(detail::deadline::now());
    }

    /// Asks it to end: SIGTERM, which it may handle; on Windows it ends at once, and its exit code
    /// reads the same. Nothing happens if it has ended. Its own children are killed with it.
    /// Throws `ProcessError` before `start()`.
    void terminate() { signal(detail::child_process::terminate_signal); }
    /// Ends it: SIGKILL, which nobody can handle. On Windows the same as `terminate()`, but for the
    /// exit code, which tells the two apart here as well.
    void kill() { signal(detail::child_process::kill_signal); }
    /// Interrupts it, as Ctrl-C in a terminal would: SIGINT; on Windows it ends at once.
    void interrupt() { signal(detail::child_process::interrupt_signal); }

    /// Lets go of what the system keeps for it. Throws `ValueError` while it runs. May be repeated.
    void close() {
        if (state_->closed())
            return;
        check_owner();
        if (state_->role() == detail::process_role::child && state_->started() &&
            !state_->exitcode())
            throw ValueError("cannot close process '" + name() +
                             "' while it is still running: call join() or terminate() first");
        state_->close();
        detail::process_table::instance().remove(*state_);
    }

    std::string name() const { return state_->name(); }
    void name(std::string value) {
        change_identity([&](auto& identity) { identity.name = value; });
    }

    bool daemon() const {
        check_open();
        return state_->daemon();
    }
    /// Throws `ProcessError` after `start()`.
    void daemon(bool value) {
        check_open();
        if (state_->started())
            throw ProcessError(
                "a process that has been started cannot become a daemon or cease to");
        change_identity([&](auto& identity) { identity.daemon = value; });
    }

    /// Its number; empty before `start()`.
    std::optional<int> pid() const {
        check_open();
        return state_->started() ? std::optional<int>(state_->pid()) : std::nullopt;
    }
    std::optional<int> ident() const { return pid(); }

    /// Empty before its end; then what its function's return (0), an exception (1) or `exit` gave,
    /// or minus the signal that killed it (on Windows `terminate`, `kill` and `interrupt` count as
    /// signals, and a fault gives its code, which is negative); 255 if another part of the program
    /// waited for it first.
    std::optional<int> exitcode() {
        check_open();
        const auto code = state_->exitcode();
        if (code)
            detail::process_table::instance().remove(*state_);
        return code;
    }

    /// A handle that becomes ready to read when the process has ended, for `connection::wait` and
    /// event loops; owned by this object. Throws `ValueError` before `start()`.
    detail::native_handle sentinel() const {
        check_open();
        if (!state_->started())
            throw ValueError("process '" + name() + "' has no sentinel before it is started");
        return state_->sentinel();
    }

    /// The key by which processes of one family know each other; children inherit it.
    /// The main process has 32 random bytes.
    std::vector<std::byte> authkey() const {
        check_open();
        return state_->identity().authkey;
    }
    void authkey(const std::vector<std::byte>& key) {
        check_open();
        change_identity([&](auto& identity) { identity.authkey = key; });
    }

    /// Whether both mean the same process.
    friend bool operator==(const Process& a, const Process& b) noexcept {
        return a.state_->is(*b.state_);
    }

private:
    friend Process current_process();
    friend std::optional<Process> parent_process();
    friend std::vector<Process> active_children();
    friend const std::shared_ptr<detail::process_state>& detail::state_of(const Process& process);

    explicit Process(std::shared_ptr<detail::process_state> state) noexcept
        : state_(std::move(state)) {}

    Process(std::unique_ptr<detail::process_target> target, const process_options& options) {
        auto identity = detail::process_table::instance().next_child();
        identity.name = options.name.empty() ? "Process-" + identity.lineage : options.name;
        identity.daemon = options.daemon.value_or(identity.daemon);
        identity.method = detail::start_method_for(options.start_method);
        state_ = std::make_shared<detail::process_state>(std::move(identity), std::move(target),
                                                         !options.outlive_parent);
    }

    /// What is said of this process holds also for the next handle of it, and for its children.
    template <class Change>
    void change_identity(Change change) {
        state_->change_identity(change);
        if (state_->role() == detail::process_role::current && state_->owned())
            detail::process_table::instance().change_identity(change);
    }

    bool wait(const detail::deadline& until) {
        const bool ended = state_->wait(until);
        if (ended)
            detail::process_table::instance().remove(*state_);
        return ended;
    }

    void signal(int number) {
        check_open();
        check_role("signal");
        if (!state_->started())
            throw ProcessError("process '" + name() + "' cannot be ended before it is started");
        state_->signal(number);
    }

    void check_owner() const {
        if (!state_->owned())
            throw ProcessError("process '" + name() + "' is not a child of process " +
                               std::to_string(os::getpid()) + ": only its maker can ask about it");
    }
    void check_open() const {
        if (state_->closed())
            throw ValueError("process object is closed");
        check_owner();
    }
    void check_role(const char* operation) const {
        if (state_->role() != detail::process_role::child)
            throw ProcessError(std::string("cannot ") + operation + " '" + name() +
                               "': it is not a child of this process");
    }

    std::shared_ptr<detail::process_state> state_;
};

inline const std::shared_ptr<detail::process_state>& detail::state_of(const Process& process) {
    return process.state_;
}

/// This process: `MainProcess`, or the child that it is. Python: `multiprocessing.current_process`.
inline Process current_process() {
    return Process(std::make_shared<detail::process_state>(
        detail::process_role::current, detail::process_table::instance().identity(), os::getpid(),
        detail::handle()));
}

/// The process that made this one; empty in the main process. `join` waits for its end.
/// Python: `multiprocessing.parent_process`.
inline std::optional<Process> parent_process() {
    const auto self = detail::process_table::instance().identity();
    if (self.parent_pid == 0)
        return std::nullopt;
    detail::process_identity identity;
    identity.name = self.parent_name;
    return Process(std::make_shared<detail::process_state>(
        detail::process_role::parent, std::move(identity), self.parent_pid,
        detail::parent_sentinel(self.parent_pid)));
}

/// The children of this process that run; those that have ended are forgotten by it.
/// Python: `multiprocessing.active_children`.
inline std::vector<Process> active_children() {
    std::vector<Process> active;
    for (const auto& state : detail::process_table::instance().children()) {
        if (state->exitcode())
            detail::process_table::instance().remove(*state);
        else if (state->started())
            active.push_back(Process(state));
    }
    return active;
}

/// The processors of the machine. Throws `ProcessError` where that cannot be known.
/// Python: `multiprocessing.cpu_count`.
inline int cpu_count() {
    const int count = os::cpu_count();
    if (count < 1)
        throw ProcessError("the number of processors cannot be determined");
    return count;
}

}  // namespace multiprocessing
