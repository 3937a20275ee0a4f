// SPDX-License-Identifier: MIT
// What a pool tells each of its workers before the first task.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/remote_call.hpp>
#include <multiprocessing/process.hpp>

namespace multiprocessing::detail {

struct worker_setup {
    /// Called first of all.
    remote_call initializer{};
    /// Tasks after which a worker ends, for another to take its place; 0 for no end.
    std::uint64_t most_tasks = 0;
    /// Bytes of memory above which a worker ends after a task, in the same way; 0 for none.
    std::uint64_t most_resident = 0;
    /// What it is allowed at all; 0 for no limit.
    std::uint64_t memory_limit = 0;
    std::uint64_t cpu_seconds = 0;
    /// The processor that it is to run on, of those that it may: in turn; absent for any.
    std::optional<std::uint64_t> processor{};
    /// Whether the pool wants to know when each task began and ended.
    bool measured = false;
};

struct worker_ports;

/// How a pool makes the process of a worker.
using worker_maker = Process (*)(worker_ports ports, const worker_setup& setup,
                                 const process_options& options);

/// How a pool's workers are to be, all of them.
struct crew_plan {
    worker_maker make = nullptr;
    std::size_t processes = 1;
    process_options options{};
    worker_setup setup{};
    /// Whether workers are started when there is work for them.
    bool lazy = false;
    /// Whether each is to have a processor of its own, as far as there are enough.
    bool pinned = false;
    /// Whether what they write to standard error is read on its way, and its end kept.
    bool keep_errors = false;
    /// The file that the run is written to as a trace; empty for none.
    std::string trace{};
};

}  // namespace multiprocessing::detail
