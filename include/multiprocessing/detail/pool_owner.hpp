// SPDX-License-Identifier: MIT
// Who has a pool's dispatcher, and what becomes of it in copies of the process.
#pragma once

#include <exception>
#include <memory>
#include <utility>

#include <multiprocessing/detail/dispatcher.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

class pool_owner {
public:
    explicit pool_owner(std::shared_ptr<dispatcher> pool) noexcept : pool_(std::move(pool)) {}
    pool_owner(pool_owner&& other) noexcept = default;
    pool_owner& operator=(pool_owner&&) = delete;

    /// Lets go of it; `end` sees to its end first, where it is here.
    template <class End>
    void end(End step) noexcept {
        if (!pool_ || !pool_->is_owned())
            return leak();
        try {
            step(*pool_);
        } catch (const std::exception&) {  // The system refuses to wait: the workers end with us.
            leak();
        }
    }

    /// Throws where it is another object's, or another process'.
    dispatcher& get() const { return *share(); }
    const std::shared_ptr<dispatcher>& share() const {
        if (!pool_)
            throw ValueError("the pool was moved to another object");
        if (!pool_->is_owned())
            throw ProcessError("a pool can be used by the process that made it only");
        return pool_;
    }

private:
    /// In a child that is a copy of this process the workers are the parent's, and the pool's
    /// thread is not there: nothing of it can be ended here.
    void leak() noexcept {
        if (pool_)
            new std::shared_ptr<dispatcher>(std::move(pool_));
    }

    std::shared_ptr<dispatcher> pool_;
};

}  // namespace multiprocessing::detail
