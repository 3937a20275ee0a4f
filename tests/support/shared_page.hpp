// SPDX-License-Identifier: MIT
// A page that a test shares with processes of any start method.
#pragma once

#include <utility>

#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/error.hpp>

namespace support {

/// A T that is zero at first.
template <class T>
class shared_page {
public:
    shared_page() {
        check(multiprocessing::detail::shared_block::create(block_, sizeof(T)));
        map();
    }
    /// The page of another process, which has lent its handle to this one.
    explicit shared_page(multiprocessing::detail::handle lent) : block_(std::move(lent)) { map(); }

    /// As an argument for a process.
    multiprocessing::detail::handle lend() const {
        multiprocessing::detail::handle copy;
        check(multiprocessing::detail::duplicate(block_.native(), copy));
        return copy;
    }

    T& operator*() const noexcept { return *reinterpret_cast<T*>(view_.data()); }
    T* operator->() const noexcept { return &**this; }

private:
    static void check(std::error_code ec) {
        multiprocessing::detail::throw_if_error(ec, "share a page");
    }
    void map() {
        static_assert(sizeof(T) <= multiprocessing::detail::shared_block::page_bytes);
        check(block_.map(view_, 0, multiprocessing::detail::shared_block::page_bytes));
    }

    multiprocessing::detail::shared_block block_;
    multiprocessing::detail::mapping view_;
};

}  // namespace support
