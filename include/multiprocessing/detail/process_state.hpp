// SPDX-License-Identifier: MIT
// What the library knows of this process and of its children, behind the handles users hold.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// Who a process is; a child gets it from its parent.
struct process_identity {
    std::string name{};
    /// The numbers in default names along the ancestry: "2:1" is the first child of the second.
    std::string lineage{};
    bool daemon = false;
    std::vector<std::byte> authkey{};
    int parent_pid = 0;
    std::string parent_name{};
    start_method method = start_method::none;
};

/// What a child process is to do.
class process_target {
public:
    virtual ~process_target() = default;
    /// Calls it, in the child.
    virtual void run() = 0;
    /// Starts a fresh program with it. Throws `PicklingError` where it cannot cross.
    virtual void spawn(child_process& child, const process_identity& identity, bool tied) = 0;
};

enum class process_role { child, current, parent };

/// One process that users hold handles of: a child, or this process or its parent.
class process_state {
public:
    process_state(process_identity identity, std::unique_ptr<process_target> target)
        : identity_(std::move(identity)), target_(std::move(target)), owner_(process_id()) {}

    /// This process or its parent; `sentinel` becomes ready when it has ended,
    /// and is empty if it has.
    process_state(process_role role, process_identity identity, int pid, handle sentinel)
        : role_(role), identity_(std::move(identity)), pid_(pid), sentinel_(std::move(sentinel)),
          started_(true), owner_(process_id()) {}

    process_role role() const noexcept { return role_; }

    /// Read and changed by the user, without meaning for the system.
    std::string name() const {
        const std::lock_guard lock(mutex_);
        return identity_.name;
    }
    void rename(std::string name) {
        const std::lock_guard lock(mutex_);
        identity_.name = std::move(name);
    }
    process_identity identity() const {
        const std::lock_guard lock(mutex_);
        return identity_;
    }
    template <class Change>
    void change_identity(Change change) {
        const std::lock_guard lock(mutex_);
        change(identity_);
    }

    bool started() const noexcept { return started_.load(std::memory_order_acquire); }
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
    bool owned() const noexcept { return owner_ == process_id(); }
    int pid() const noexcept { return role_ == process_role::child ? child_.pid() : pid_; }
    native_handle sentinel() const noexcept {
        return role_ == process_role::child ? child_.sentinel() : sentinel_.get();
    }

    /// Starts the child, at most once. `body` runs in a forked one and returns its exit status.
    template <class Body>
    void start(bool tied, Body body) {
        const std::lock_guard lock(mutex_);
        if (started())
            throw ProcessError("cannot start a process twice");
        if (identity_.method == start_method::fork)
            fork(tied, body);
        else
            target_->spawn(child_, identity_, tied);
        target_.reset();
        // Pairs with the acquire in started(): the child's number and sentinel are visible with it.
        started_.store(true, std::memory_order_release);
    }

    /// Waits until it ends; returns whether it has. No lock is held while it waits.
    bool wait(const deadline& until) {
        if (exitcode() || (role_ == process_role::parent && !sentinel_))
            return true;
        bool ready = false;
        throw_if_error(wait_ready(sentinel(), until, ready), "wait for a process");
        return ready && (role_ != process_role::child || exitcode());
    }

    /// How it ended, once it has; asks the system, and lets it forget the child.
    std::optional<int> exitcode() {
        const std::lock_guard lock(mutex_);
        if (exitcode_ || !started() || role_ != process_role::child)
            return exitcode_;
        const auto ec = child_.reap(false, exitcode_);
        if (ec == std::errc::no_child_process)
            exitcode_ = exitcode_unknown;
        else
            throw_if_error(ec, "ask how process " + std::to_string(pid()) + " ended");
        return exitcode_;
    }

    void signal(int number) {
        const std::lock_guard lock(mutex_);
        if (exitcode_ || !started())
            return;
        const auto ec = child_.signal(number);
        if (ec && ec != std::errc::no_such_process)
            throw_system_error(ec, "send signal " + std::to_string(number) + " to process " +
                                       std::to_string(pid()));
    }

    /// Lets go of the system's handles. The caller has seen to it that the child has ended.
    void close() noexcept {
        const std::lock_guard lock(mutex_);
        closed_.store(true, std::memory_order_release);
        target_.reset();
        child_ = child_process();
    }

    /// The exit code of a child that another part of the program had waited for; CPython reports the
    /// same where a server process lost it.
    static constexpr int exitcode_unknown = 255;

private:
    template <class Body>
    void fork(bool tied, Body& body) {
        if constexpr (has_fork)
            throw_if_error(child_process::fork(child_, tied, [&] { return body(*target_); }),
                           "fork process '" + identity_.name + "'");
    }

    mutable std::mutex mutex_;
    process_role role_ = process_role::child;
    process_identity identity_;
    std::unique_ptr<process_target> target_;
    child_process child_;
    int pid_ = 0;
    handle sentinel_;
    std::optional<int> exitcode_;
    std::atomic<bool> started_{false};
    std::atomic<bool> closed_{false};
    int owner_;
};

/// This process as the library knows it, and its children that have not been waited for.
class process_table {
public:
    using state = std::shared_ptr<process_state>;

    static process_table& instance() {
        static process_table* const table = new process_table;  // Never destroyed: used until the end.
        return *table;
    }

    process_identity identity() const {
        const std::lock_guard lock(library_mutex());
        return identity_;
    }
    template <class Change>
    void change_identity(Change change) {
        const std::lock_guard lock(library_mutex());
        change(identity_);
    }

    /// The identity of a new child, but for what its maker says of it.
    process_identity next_child() {
        const std::lock_guard lock(library_mutex());
        process_identity child;
        child.lineage = identity_.lineage + (identity_.lineage.empty() ? "" : ":") +
                        std::to_string(++started_);
        child.daemon = identity_.daemon;
        child.authkey = identity_.authkey;
        child.parent_pid = process_id();
        child.parent_name = identity_.name;
        return child;
    }
    /// In a child, before its target runs.
    void enter(process_identity identity) {
        const std::lock_guard lock(library_mutex());
        identity_ = std::move(identity);
        started_ = 0;
    }

    void add(state child) {
        const std::lock_guard lock(library_mutex());
        children_.push_back(std::move(child));
    }
    void remove(const process_state& child) noexcept {
        const std::lock_guard lock(library_mutex());
        std::erase_if(children_, [&](const state& entry) { return entry.get() == &child; });
    }
    std::vector<state> children() const {
        const std::lock_guard lock(library_mutex());
        return children_;
    }

    /// Forgets children that have ended, so that they do not stay in the system's table for want of a
    /// join: looks at a few each time, in turn.
    void reap_some() {
        for (int i = 0; i < 2; ++i) {
            const state child = next_in_turn();
            if (child && child->exitcode())
                remove(*child);
        }
    }

    /// At the normal end of this process: daemons are terminated, the others waited for.
    void end_children() {
        const auto children = this->children();
        for (const state& child : children)
            if (child->identity().daemon)
                child->signal(child_process::terminate_signal);
        for (const state& child : children)
            child->wait(deadline::never());
    }

private:
    process_table() {
        run_after_fork([] { instance().forget_children(); });
        std::atexit([] { instance().end_children(); });
    }

    state next_in_turn() {
        const std::lock_guard lock(library_mutex());
        return children_.empty() ? nullptr : children_[++turn_ % children_.size()];
    }

    /// In a forked child: the parent's children are not its own. The states are leaked, not destroyed:
    /// another thread may have been inside one at the moment of the fork.
    void forget_children() noexcept { new (&leaked_) std::vector<state>(std::exchange(children_, {})); }

    process_identity identity_{.name = "MainProcess"};
    int started_ = 0;
    std::size_t turn_ = 0;
    std::vector<state> children_;
    alignas(std::vector<state>) std::byte leaked_[sizeof(std::vector<state>)];
};

}  // namespace multiprocessing::detail
