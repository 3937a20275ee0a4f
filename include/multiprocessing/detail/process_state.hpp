// SPDX-License-Identifier: MIT
// What the library knows of this process and of its children, behind the handles users hold.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/first_use.hpp>
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
    /// What set_start_method() had chosen in the parent.
    start_method chosen_method = start_method::none;
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

/// One process that users hold handles of: a child, or this process or its parent. What the system
/// knows of it may only be asked by the process that made this object.
class process_state {
public:
    process_state(process_identity identity, std::unique_ptr<process_target> target, bool tied)
        : tied_(tied), identity_(std::move(identity)), target_(std::move(target)) {}

    /// This process or its parent; `sentinel` becomes ready when it has ended.
    process_state(process_role role, process_identity identity, int pid, handle sentinel)
        : role_(role), identity_(std::move(identity)), pid_(pid), sentinel_(std::move(sentinel)),
          stage_(stage::started) {}

    process_role role() const noexcept { return role_; }
    bool tied() const noexcept { return tied_; }

    // The identity is behind the library's lock, which a fork waits for, and not behind this
    // object's: in a child of the user's, born while another thread was in here, it can still be
    // asked.
    std::string name() const {
        const std::lock_guard lock(library_mutex());
        return identity_.name;
    }
    bool daemon() const {
        const std::lock_guard lock(library_mutex());
        return identity_.daemon;
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

    bool started() const noexcept {
        // Pairs with the release in launch(): the child's number is visible with it.
        return stage_.load(std::memory_order_acquire) == stage::started;
    }
    bool closed() const noexcept { return closed_.load(std::memory_order_acquire); }
    bool owned() const noexcept { return owner_ == process_id(); }
    int pid() const noexcept { return pid_; }

    native_handle sentinel() const {
        const std::lock_guard lock(mutex_);
        return role_ == process_role::child ? child_.sentinel() : sentinel_.get();
    }
    bool is(const process_state& other) const noexcept {
        return this == &other ||
               (role_ != process_role::child && role_ == other.role_ && pid_ == other.pid_);
    }

    /// The target, for whoever starts the child. There is one who does at a time, and one who has.
    std::unique_ptr<process_target> claim() {
        const std::lock_guard lock(mutex_);
        if (closed())
            throw ValueError("process object is closed");
        if (stage_ != stage::unstarted)
            throw ProcessError("cannot start a process twice");
        stage_ = stage::starting;
        return std::move(target_);
    }
    /// It was not started.
    void unclaim(std::unique_ptr<process_target> target) noexcept {
        const std::lock_guard lock(mutex_);
        child_ = child_process();
        target_ = std::move(target);
        stage_ = stage::unstarted;
    }
    /// A template of the child: where there is no fork, it is not asked for.
    template <class Child = child_process>
    void prepare(const process_identity& identity) {
        if constexpr (Child::can_fork)
            if (identity.method == start_method::fork)
                if (const auto ec = Child::prepare_fork(child_, tied_))
                    throw_system_error(ec, "fork process '" + identity.name + "'");
    }
    /// Starts the child, by who has claimed and prepared it. `body` runs in a forked one and does
    /// not return. No lock is held: it may run the user's code.
    template <class Body>
    void launch(process_target& target, const process_identity& identity,
                std::span<const native_handle> own, const Body& body) {
        if (identity.method == start_method::fork)
            fork(identity, own, body);
        else
            target.spawn(child_, identity, tied_);
        pid_ = child_.pid();
        stage_.store(stage::started, std::memory_order_release);
    }

    /// Waits until it ends; returns whether it has. No lock is held while it waits.
    bool wait(const deadline& until) {
        const waiter here(*this);
        if (here.has_ended())
            return true;
        bool ready = false;
        throw_if_error(wait_ready(here.sentinel(), until, ready), "wait for a process");
        if (ready)
            reap(true);
        return ready;
    }

    /// How it ended, once it has; asks the system, and lets it forget the child.
    std::optional<int> exitcode() { return reap(false); }

    void signal(int number) {
        const std::lock_guard lock(mutex_);
        if (exitcode_ || closed() || !started())
            return;
        const auto ec = child_.signal(number);
        if (ec && ec != std::errc::no_such_process)
            throw_system_error(ec, "send signal " + std::to_string(number) + " to process " +
                                       std::to_string(pid()));
    }

    /// Lets go of the system's handles, if need be when the last that waits has returned. The
    /// caller has seen to it that the child has ended or was never started.
    void close() {
        std::unique_ptr<process_target> target;
        const std::lock_guard lock(mutex_);
        if (stage_ == stage::starting)
            throw ValueError("cannot close a process while it is being started");
        closed_.store(true, std::memory_order_release);
        target = std::move(target_);
        release_if_unused();
    }

    /// The exit code of a child that another part of the program had waited for; CPython reports
    /// the same where a server process lost it.
    static constexpr int exitcode_unknown = 255;

private:
    enum class stage { unstarted, starting, started };

    /// Keeps the sentinel open for as long as somebody waits on it.
    class waiter {
    public:
        explicit waiter(process_state& state) : state_(state) {
            const std::lock_guard lock(state.mutex_);
            ++state.waiters_;
            // It may be closed meanwhile, which is allowed only after its end.
            ended_ = state.exitcode_.has_value() || state.closed();
            sentinel_ = state.role_ == process_role::child ? state.child_.sentinel()
                                                           : state.sentinel_.get();
        }
        waiter(const waiter&) = delete;
        waiter& operator=(const waiter&) = delete;
        ~waiter() {
            const std::lock_guard lock(state_.mutex_);
            --state_.waiters_;
            state_.release_if_unused();
        }
        bool has_ended() const noexcept { return ended_; }
        native_handle sentinel() const noexcept { return sentinel_; }

    private:
        process_state& state_;
        bool ended_ = false;
        native_handle sentinel_ = no_handle;
    };

    void release_if_unused() noexcept {
        if (!closed() || waiters_ > 0)
            return;
        child_ = child_process();
        sentinel_.reset();
    }

    template <class Body, class Child = child_process>
    void fork(const process_identity& identity, std::span<const native_handle> own,
              const Body& body) {
        if constexpr (Child::can_fork)
            if (const auto ec = Child::fork(child_, own, body))
                throw_system_error(ec, "fork process '" + identity.name + "'");
    }

    std::optional<int> reap(bool has_ended) {
        const std::lock_guard lock(mutex_);
        if (exitcode_ || closed() || !started() || role_ != process_role::child)
            return exitcode_;
        const auto ec = child_.reap(has_ended, exitcode_);
        if (ec == std::errc::no_child_process)
            exitcode_ = exitcode_unknown;
        else
            throw_if_error(ec, "ask how process " + std::to_string(pid()) + " ended");
        return exitcode_;
    }

    mutable std::mutex mutex_;
    const process_role role_ = process_role::child;
    const bool tied_ = true;
    const int owner_ = process_id();
    process_identity identity_;
    std::unique_ptr<process_target> target_;
    child_process child_;
    int pid_ = 0;
    handle sentinel_;
    std::optional<int> exitcode_;
    int waiters_ = 0;
    std::atomic<stage> stage_{stage::unstarted};
    std::atomic<bool> closed_{false};
};

/// This process as the library knows it, and its children that have not been waited for.
class process_table {
public:
    using state = std::shared_ptr<process_state>;

    static process_table& instance() {
        process_table& table = made_table().get([] { return process_table(); });
        if (!table.ends_children_.load(std::memory_order_acquire)) {
            // Of threads that come at once several may do so: the second time there is none to end.
            // Marked when it is done: none goes on before. Where there is no memory for it the next
            // one tries again.
            if (std::atexit([] { instance().end_children(); }) == 0)
                table.ends_children_.store(true, std::memory_order_release);
        }
        return table;
    }
    /// In a forked child: the parent's children are not its own.
    static void after_fork() noexcept {
        if (process_table* const table = made_table().peek())
            table->forget_children();
    }

    process_identity identity() const {
        const std::lock_guard lock(library_mutex());
        return *identity_;
    }
    std::string name() const {
        const std::lock_guard lock(library_mutex());
        return identity_->name;
    }
    template <class Change>
    void change_identity(Change change) {
        const std::lock_guard lock(library_mutex());
        change(*identity_);
    }

    bool is_daemon() const {
        const std::lock_guard lock(library_mutex());
        return identity_->daemon;
    }

    /// The identity of a new child, but for what its maker says of it.
    process_identity next_child() {
        const std::lock_guard lock(library_mutex());
        process_identity child;
        child.lineage = identity_->lineage + (identity_->lineage.empty() ? "" : ":");
        child.lineage += std::to_string(++started_);
        child.daemon = identity_->daemon;
        child.authkey = identity_->authkey;
        child.parent_pid = process_id();
        child.parent_name = identity_->name;
        return child;
    }
    /// In a child, before its target runs. The identity stays where it is, until the end.
    void enter(process_identity& identity) {
        const std::lock_guard lock(library_mutex());
        chosen_start_method() = identity.chosen_method;
        identity_ = &identity;
        started_ = 0;
    }

    /// Entered before it is started: a child that exists is in the table, whatever fails then.
    /// Throws `ProcessError` where this process has begun to end.
    void add(state child) {
        const std::lock_guard lock(library_mutex());
        require_going_on();
        children_.push_back(std::move(child));
    }
    void require_going_on() const {
        if (is_ending())
            throw ProcessError("no process can be started any more: this program is ending");
    }

    /// Whether end_children() has begun. From then on there are no new children, for nobody would
    /// end them; and while the last destructors run the system forgets the hooks of a fork, so that
    /// a copy of this process would hold on to what ties it and its siblings to their parent. One
    /// that is born all the same, of a start that was under way, asks this first and ends.
    bool is_ending() const noexcept {
        // Written under the lock, but asked without: a copy may have been born with it held.
        return ending_.load(std::memory_order_relaxed);
    }

    void remove(const process_state& child) noexcept {
        const std::lock_guard lock(library_mutex());
        detail::erase_if(children_, [&](const state& entry) { return entry.get() == &child; });
    }
    /// Undoes one add(): another thread may be starting the same child, with more success.
    void take_back(const process_state& child) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place =
            detail::find_if(children_.begin(), children_.end(),
                            [&](const state& entry) { return entry.get() == &child; });
        if (place != children_.end())
            children_.erase(place);
    }
    std::vector<state> children() const {
        const std::lock_guard lock(library_mutex());
        return children_;
    }

    /// Forgets children that have ended, so that they do not stay in the system's table for want of
    /// a join: looks at a few each time, in turn.
    void reap_some() {
        for (int i = 0; i < 2; ++i) {
            const state child = next_in_turn();
            if (child && child->exitcode())
                remove(*child);
        }
    }

    /// At the normal end of this process: daemons are terminated, and killed if that does not end
    /// them soon; the others are waited for, but for those that were to outlive it.
    void end_children() noexcept {
        try {
            const auto children = begin_ending();
            std::vector<int> told;  // Of bool it is a class of its own, which each file would pay.
            for (const state& child : children)
                told.push_back(child->daemon() && end_child(*child, terminate));
            for (std::size_t i = 0; i < children.size(); ++i)
                await_end(*children[i], told[i]);
        } catch (const std::exception& error) {
            report_lost_children(error.what());
        }
    }

private:
    process_table() {
        identity_->authkey.resize(authkey_bytes);
        throw_if_error(random_bytes(identity_->authkey.data(), authkey_bytes), "make a random key");
    }

    static first_use<process_table>& made_table() noexcept {
        static constinit first_use<process_table> table;
        return table;
    }

    static constexpr std::size_t authkey_bytes = 32;

    static constexpr auto daemon_grace = std::chrono::seconds(1);

    /// One child that cannot be ended is no reason to leave the next. Returns what `step` does, or
    /// false.
    template <class Step>
    static bool end_child(process_state& child, Step step) noexcept {
        try {
            return step(child);
        } catch (const std::exception& error) {
            report_lost_children(error.what());
            return false;
        }
    }
    static bool terminate(process_state& child) {
        child.signal(child_process::terminate_signal);
        return child.started();
    }

    /// A daemon that was still being started when the others were told is told now.
    static void await_end(process_state& child, bool told) noexcept {
        if (!child.started() || !(child.tied() || child.daemon()))
            return;
        end_child(child, [&](process_state& other) {
            if (!other.daemon())
                return other.wait(deadline::never());
            if (!told)
                terminate(other);
            if (!other.wait(deadline::after(daemon_grace)))
                other.signal(child_process::kill_signal);
            return other.wait(deadline::never());
        });
    }
    static void report_lost_children(const char* what) noexcept {
        std::fprintf(stderr, "multiprocessing: a child process was not waited for at exit: %s\n",
                     what);
    }

    std::vector<state> begin_ending() {
        const std::lock_guard lock(library_mutex());
        ending_.store(true, std::memory_order_relaxed);
        return children_;
    }

    state next_in_turn() {
        const std::lock_guard lock(library_mutex());
        return children_.empty() ? nullptr : children_[++turn_ % children_.size()];
    }

    /// The states are leaked, not destroyed: another thread may have been inside one at the moment
    /// of the fork.
    void forget_children() noexcept {
        new (&leaked_) std::vector<state>(std::exchange(children_, {}));
    }

    process_identity of_main_{.name = "MainProcess"};
    process_identity* identity_ = &of_main_;
    int started_ = 0;
    std::size_t turn_ = 0;
    std::atomic<bool> ending_{false};
    std::atomic<bool> ends_children_{false};
    std::vector<state> children_;
    alignas(std::vector<state>) std::byte leaked_[sizeof(std::vector<state>)];
};

/// From before main on: see queue_core's counts_forks.
inline const bool forgets_children = (run_after_fork(process_table::after_fork), true);

}  // namespace multiprocessing::detail
