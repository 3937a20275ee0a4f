// SPDX-License-Identifier: MIT
// Seam: threads of the library's own, to which no signal is delivered.
#pragma once

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/quiet_thread.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/system.hpp>
#endif

namespace multiprocessing::detail {

/// start_quiet_thread(body): a std::thread that no signal is delivered to.
using backend::start_quiet_thread;

}  // namespace multiprocessing::detail
