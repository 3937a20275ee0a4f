// SPDX-License-Identifier: MIT
// A list of types: what the codec takes a composite value apart into.
#pragma once

namespace multiprocessing::detail {

template <class... Types>
struct type_list {};

}  // namespace multiprocessing::detail
