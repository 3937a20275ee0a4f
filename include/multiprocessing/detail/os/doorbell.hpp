// SPDX-License-Identifier: MIT
// Seam: a bell that any process of a group rings and one hears, together with the ends of
// processes.
#pragma once

#include <concepts>
#include <cstdint>
#include <system_error>
#include <vector>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/doorbell.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/doorbell.hpp>
#endif

namespace multiprocessing::detail {

/// `ring()` from any process that has it; rings on until `silence()`. Thread-safe. `check()`: an
/// error where the handle is not the bell's any more, because other code has closed it and opened
/// something else; `ring()` then rings nowhere and returns the same.
using backend::doorbell;

/// Many objects waited for at once: doorbells, sentinels of processes, ends of streams.
/// `add(object, key)` and `remove(object)` while no other thread waits; `wait(until, keys)` returns
/// with the keys of some that are ready, or none when the time has passed.
using backend::wait_set;

template <class Bell, class Set>
concept doorbell_contract = std::movable<Bell> && std::movable<Set> &&
    requires(Bell bell, const Bell constant, Set set, handle owner, native_handle object,
             std::uint64_t key, std::vector<std::uint64_t>& keys, const deadline& until) {
    Bell(std::move(owner));
    { Bell::create(bell) } -> std::same_as<std::error_code>;
    { constant.native() }
    noexcept->std::same_as<native_handle>;
    { bell.ring() }
    noexcept->std::same_as<std::error_code>;
    { constant.check() }
    noexcept->std::same_as<std::error_code>;
    { bell.silence() }
    noexcept;
    { Set::create(set) } -> std::same_as<std::error_code>;
    { set.add(object, key) } -> std::same_as<std::error_code>;
    { set.remove(object) }
    noexcept;
    { set.wait(until, keys) } -> std::same_as<std::error_code>;
};
static_assert(doorbell_contract<doorbell, wait_set>);

}  // namespace multiprocessing::detail
