// SPDX-License-Identifier: MIT
// Which backend the seams beside this file use: the one place that names it.
#pragma once

#include <multiprocessing/config.hpp>

namespace multiprocessing::detail {

#if defined(MULTIPROCESSING_POSIX)
namespace posix {}
namespace backend = posix;
#elif defined(MULTIPROCESSING_WINDOWS)
namespace windows {}
namespace backend = windows;
#endif

}  // namespace multiprocessing::detail
