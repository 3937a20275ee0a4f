// SPDX-License-Identifier: MIT
// A running program as several threads may wait for, ask about and end it; and the children that
// nobody waits for any more.
#pragma once

#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/subprocess_error.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// Children whose `Popen` was dropped while they ran. They are reaped when later ones start, so
/// that they do not stay zombies for as long as this process lives.
class dropped_children {
public:
    static dropped_children& instance() {
        // Never destroyed: a Popen may be dropped by the destructor of a global object.
        static dropped_children* const children = make();
        return *children;
    }

    void add(child_process child) {
        const std::lock_guard lock(mutex_);
        children_.push_back(std::move(child));
    }

    /// Does not wait for another thread that is at it.
    void reap() {
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock)
            return;
        detail::erase_if(children_, [](child_process& child) {
            std::optional<int> exitcode;
            // An error means that another part of the program has reaped it.
            return child.reap(false, exitcode) || exitcode;
        });
    }

private:
    /// In a fork they are not its own, and another thread may have been changing the list: it is
    /// leaked, and a new one begun in its place.
    static dropped_children* make() {
        run_after_fork([] { ::new (&instance()) dropped_children; });
        return new dropped_children;
    }

    std::mutex mutex_;
    std::vector<child_process> children_;
};

/// Made before main: a child that is forked while another thread makes it would wait for that one
/// for ever.
inline dropped_children& early_dropped_children = dropped_children::instance();

class subprocess_child {
public:
    explicit subprocess_child(child_process child) noexcept : child_(std::move(child)) {}
    subprocess_child(const subprocess_child&) = delete;
    subprocess_child& operator=(const subprocess_child&) = delete;
    ~subprocess_child() {
        try {
            if (!poll())
                dropped_children::instance().add(std::move(child_));
        } catch (...) {
            // Without memory for the list it stays a zombie until this process ends.
        }
    }

    int pid() const noexcept { return child_.pid(); }

    std::optional<int> returncode() const {
        const std::lock_guard lock(mutex_);
        return returncode_;
    }

    /// Asks without waiting; also while another thread waits.
    std::optional<int> poll() {
        const std::lock_guard lock(mutex_);
        if (!returncode_ && child_.reap(false, returncode_))
            returncode_ = subprocess::unknown_returncode;  // Another has reaped it.
        return returncode_;
    }

    /// The return code; empty if `until` has passed. No lock is held while it waits.
    std::optional<int> wait(const deadline& until) {
        for (auto code = returncode();; code = poll()) {
            if (code)
                return code;
            bool ended = false;
            throw_if_error(wait_ready(child_.sentinel(), until, ended), "wait for a program");
            if (!ended)
                return std::nullopt;
        }
    }

    /// Does nothing to a program that has ended.
    void signal(int number) {
        const auto ec = child_.signal(number);
        if (ec == std::errc::operation_not_supported)
            throw ValueError("Unsupported signal: " + std::to_string(number));
        if (ec && ec != std::errc::no_such_process)
            throw_system_error(ec, "send signal " + std::to_string(number) + " to process " +
                                       std::to_string(pid()));
    }

private:
    mutable std::mutex mutex_;
    std::optional<int> returncode_;
    child_process child_;
};

}  // namespace multiprocessing::detail
