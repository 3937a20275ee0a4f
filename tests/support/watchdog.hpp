// SPDX-License-Identifier: MIT
// Ends a test that hangs, and prints which: class watchdog.
#pragma once

#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include "support/posix/watchdog.hpp"
#else
#include "support/windows/watchdog.hpp"
#endif
