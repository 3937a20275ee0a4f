// SPDX-License-Identifier: MIT
// Seam: what exists only where a process can split in two: os::fork.
#pragma once

#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/os_fork.hpp>
#endif
