// SPDX-License-Identifier: MIT
// Linked to an example as it is: the same program, where spawn is the start method of what names
// none.
#include <multiprocessing/context.hpp>

namespace {

const bool chosen = [] {
    multiprocessing::set_start_method("spawn");
    return true;
}();

}  // namespace
