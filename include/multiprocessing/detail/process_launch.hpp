// SPDX-License-Identifier: MIT
// The start of a process, in steps.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include <multiprocessing/detail/bootstrap.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/spawn.hpp>

namespace multiprocessing::detail {

// A fork lets parent and child share their memory until one of them writes to it; each page that
// the parent writes to between two forks is copied once more, and where it runs on several
// processors these are told of it. So who starts many makes all of these objects first, then runs
// them one after the other, then destroys them: run() writes to as few pages as it can.
class process_launch {
public:
    /// All that can be done before. Throws what `Process::start` throws.
    explicit process_launch(std::shared_ptr<process_state> state)
        : state_(std::move(state)), identity_(state_->identity()) {
        require_startable();
        identity_.chosen_method = chosen_start_method();
        auto& table = process_table::instance();
        table.reap_some();
        table.add(state_);
        try {
            target_ = state_->claim();
            claimed_ = true;
            state_->prepare(identity_);
        } catch (...) {
            give_up();
            throw_again();
        }
    }
    process_launch(const process_launch&) = delete;
    process_launch& operator=(const process_launch&) = delete;
    /// Lets go of the target; of one that was not started the process has it again.
    ~process_launch() {
        if (!state_->started())
            give_up();
    }

    /// Starts it, once. A child that is a copy of this process has `own` of what is kept from copies.
    void run(std::span<const native_handle> own = {}) {
        process_table::instance().require_going_on();
        flush_streams();
        state_->launch(*target_, identity_, own, [this]() -> int {
            run_forked_process(identity_, [this] { target_->run(); });
        });
    }

private:
    void require_startable() const {
        if (state_->started())
            throw ProcessError("cannot start a process twice");
        if (process_table::instance().is_daemon())
            throw ProcessError("daemonic processes are not allowed to have children");
        require_freeze_support(identity_.method == start_method::spawn);
    }
    void give_up() noexcept {
        if (claimed_)
            state_->unclaim(std::move(target_));
        process_table::instance().take_back(*state_);
    }

    std::shared_ptr<process_state> state_;
    process_identity identity_;
    std::unique_ptr<process_target> target_;
    bool claimed_ = false;
};

}  // namespace multiprocessing::detail
