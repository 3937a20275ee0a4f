// SPDX-License-Identifier: MIT
// The layers of the library: what each header may include. A new header is a new line here.
#pragma once

#include <string_view>

namespace house {

struct place {
    std::string_view header;  // Under include/multiprocessing/ without .hpp; a folder ends in "/".
    int layer;
    int reaches;  // The highest layer it may include; its own one where that number stands here.
};

// Whoever stands in a layer may include another one of it only where `reaches` says so, and never
// in a circle.
inline constexpr place layers[] = {
    {"config", 0, -1},
    {"error", 0, 0},

    {"detail/algorithm", 1, 1},
    {"detail/function", 1, 0},
    {"detail/deadline", 1, 1},
    {"detail/codec", 1, 1},
    {"detail/codec/", 1, 1},
    {"detail/framing", 1, 1},
    {"detail/command_rules", 1, 0},
    {"detail/command_line", 1, 1},
    {"detail/range", 1, 0},
    {"detail/windows_environment", 1, 1},
    {"detail/library_mutex", 1, 0},
    {"detail/message_buffer", 1, 0},
    {"detail/streams", 1, 0},
    {"detail/registry", 1, 1},
    {"detail/arguments", 1, 1},
    {"detail/image_table", 1, 1},

    {"detail/os/backend", 2, 2},
    {"detail/os/fork", 2, 2},
    {"detail/os/handle", 2, 2},
    {"detail/os/pipe", 2, 2},
    {"detail/os/launch_plan", 2, 2},
    {"detail/os/child", 2, 2},
    {"detail/os/wait_word", 2, 2},
    {"detail/os/memory", 2, 2},
    {"detail/os/endpoint", 2, 2},
    {"detail/os/robust_mutex", 2, 2},
    {"detail/os/image", 2, 2},
    {"detail/os/doorbell", 2, 2},
    {"detail/os/system", 2, 2},
    {"detail/os/quiet_thread", 2, 2},
    {"detail/posix/", 2, 2},
    {"detail/windows/", 2, 2},
    {"os", 2, 2},
    {"detail/subprocess_options", 2, 2},
    {"detail/subprocess_error", 2, 2},
    {"detail/subprocess_streams", 2, 2},
    {"detail/subprocess_launch", 2, 2},
    {"detail/subprocess_child", 2, 2},

    {"detail/spin", 3, 2},
    {"detail/callable", 3, 2},
    {"detail/remote_call", 3, 3},
    {"detail/start_method", 3, 2},
    {"detail/unshared_handle", 3, 2},
    {"detail/frame_stream", 3, 2},
    {"reduction", 3, 2},
    {"spawn", 3, 3},
    {"detail/process_state", 3, 3},
    {"detail/bootstrap", 3, 3},
    {"detail/process_target", 3, 3},
    {"connection", 3, 3},
    {"synchronize", 3, 2},
    {"shared_memory", 3, 2},
    {"detail/ring_memory", 3, 2},
    {"detail/ring", 3, 3},
    {"detail/queue_core", 3, 3},

    {"process", 4, 3},
    {"queues", 4, 3},
    {"sharedctypes", 4, 3},
    {"subprocess", 4, 2},

    {"detail/registered_exception", 5, 3},
    {"detail/remote_exception", 5, 5},
    {"detail/worker_channel", 5, 3},
    {"detail/task", 5, 5},
    {"detail/worker_link", 5, 5},
    {"detail/task_function", 5, 5},
    {"detail/result_job", 5, 5},
    {"detail/async_result", 5, 5},
    {"detail/elements", 5, 5},
    {"detail/element_source", 5, 5},
    {"detail/chunk_call", 5, 5},
    {"detail/call_arguments", 5, 5},
    {"detail/call_job", 5, 5},
    {"detail/map_job", 5, 5},
    {"detail/stream_job", 5, 5},
    {"detail/imap_iterator", 5, 5},
    {"detail/pool_stream", 5, 5},
    {"detail/pool_owner", 5, 5},
    {"detail/future", 5, 5},
    {"detail/future_sets", 5, 5},
    {"detail/limited_stream", 5, 5},
    {"detail/thread_crew", 5, 5},
    {"detail/thread_jobs", 5, 5},
    {"detail/thread_stream", 5, 5},
    {"thread_pool", 5, 5},
    {"detail/pool_options", 5, 5},
    {"detail/worker_setup", 5, 5},
    {"detail/backlog", 5, 5},
    {"detail/error_relay", 5, 5},
    {"detail/progress_line", 5, 5},
    {"detail/pool_statistics", 5, 5},
    {"detail/loss_report", 5, 5},
    {"detail/worker", 5, 5},
    {"detail/roster", 5, 5},
    {"detail/crew", 5, 5},
    {"detail/driver", 5, 5},
    {"detail/background_driver", 5, 5},
    {"detail/dispatcher", 5, 5},
    {"pool", 5, 5},
    {"futures", 5, 5},
    {"managers", 5, 5},

    {"context", 6, 6},
    {"multiprocessing", 6, 6},
};

}  // namespace house
