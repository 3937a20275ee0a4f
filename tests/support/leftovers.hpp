// SPDX-License-Identifier: MIT
// Checks that a test leaves nothing open and no child behind: class leftovers, children(),
// count_handles().
#pragma once

#include <multiprocessing/config.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include "support/posix/leftovers.hpp"
#else
#include "support/windows/leftovers.hpp"
#endif
