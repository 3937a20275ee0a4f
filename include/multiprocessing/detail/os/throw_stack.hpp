// SPDX-License-Identifier: MIT
// Seam: the stack of a throw, for exceptions that leave a call, and what code is called.
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/throw_stack.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/throw_stack.hpp>
#endif

namespace multiprocessing::detail {

/// watch_throws(call): calls it and lets what it throws pass; where the stack of that throw can be
/// known it is kept for this thread. Only its last use counts, so there is none within another. What
/// does not leave the call costs nothing.
/// stack_of_throw(): what this thread keeps, innermost frame first, one text each; empty where
/// nothing was thrown or it cannot be known.
/// describe_code(address): the function that begins there, as a frame of a stack.
using backend::describe_code;
using backend::stack_of_throw;
using backend::watch_throws;

template <class Call>
concept throw_stack_contract = requires(Call call) {
    watch_throws(call);
    { stack_of_throw() } -> std::same_as<std::vector<std::string>>;
    { describe_code(nullptr) } -> std::same_as<std::string>;
};
static_assert(throw_stack_contract<void (*)()>);

}  // namespace multiprocessing::detail
