// SPDX-License-Identifier: MIT
// A function that is in no program's own code.
#pragma once

namespace support {

/// Where a function of a system library is.
const void* function_of_a_library();

}  // namespace support
