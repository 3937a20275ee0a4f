// SPDX-License-Identifier: MIT
// What a pool tells each of its workers before the first task.
#pragma once

#include <cstddef>
#include <cstdint>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/remote_call.hpp>

namespace multiprocessing::detail {

struct worker_setup {
    /// Called first of all.
    remote_call initializer{};
    /// Tasks after which a worker ends, for another to take its place; 0 for no end.
    std::uint64_t most_tasks = 0;
};

}  // namespace multiprocessing::detail
