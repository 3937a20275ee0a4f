// SPDX-License-Identifier: MIT
// A handle of this process that copies of it do not keep.
#pragma once

#include <algorithm>
#include <mutex>
#include <vector>

#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/handle.hpp>

namespace multiprocessing::detail {

/// Handles that are closed in every copy of this process, before anything else runs there.
class unshared_handles {
public:
    static unshared_handles& instance() {
        static unshared_handles* const table =
            new unshared_handles;  // Never destroyed: used until the end.
        return *table;
    }

    void add(native_handle object) {
        const std::lock_guard lock(library_mutex());
        handles_.push_back(object);
    }
    void remove(native_handle object) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place = std::find(handles_.begin(), handles_.end(), object);
        if (place == handles_.end())
            return;
        *place = handles_.back();
        handles_.pop_back();
    }

private:
    unshared_handles() {
        run_after_fork([] { instance().drop(); });
    }

    void drop() noexcept {
        for (const native_handle object : handles_)
            handle(object).reset();
        handles_.clear();
    }

    std::vector<native_handle> handles_;
};

/// Keeps one there. Destroyed before the handle is closed; never destroyed in a copy.
class unshared_handle {
public:
    explicit unshared_handle(native_handle object) : object_(object) {
        unshared_handles::instance().add(object);
    }
    unshared_handle(const unshared_handle&) = delete;
    unshared_handle& operator=(const unshared_handle&) = delete;
    ~unshared_handle() { unshared_handles::instance().remove(object_); }

private:
    native_handle object_;
};

}  // namespace multiprocessing::detail
