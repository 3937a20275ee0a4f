// SPDX-License-Identifier: MIT
// A handle of this process that copies of it do not keep.
#pragma once

#include <multiprocessing/detail/os/handle.hpp>

namespace multiprocessing::detail {

/// Keeps one from them. Destroyed before the handle is closed; never destroyed in a copy.
class unshared_handle {
public:
    explicit unshared_handle(native_handle object) : object_(object) { keep_from_forks(object); }
    unshared_handle(const unshared_handle&) = delete;
    unshared_handle& operator=(const unshared_handle&) = delete;
    ~unshared_handle() { give_to_forks(object_); }

    native_handle native() const noexcept { return object_; }

private:
    native_handle object_;
};

}  // namespace multiprocessing::detail
