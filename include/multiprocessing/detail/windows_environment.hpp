// SPDX-License-Identifier: MIT
// The environment of a program as Windows takes it. Pure logic, on every system.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/command_line.hpp>

namespace multiprocessing::detail {

/// Entries as Windows takes them: sorted by name without regard to case, of one name the last, each
/// ended by NUL and all of them by another.
inline std::string windows_environment_block(const std::vector<std::string>& entries) {
    std::vector<std::pair<std::string, const std::string*>> sorted;
    for (const std::string& entry : entries) {
        const std::string name = upper_name(entry);
        const auto place =
            detail::lower_bound(sorted.begin(), sorted.end(), name,
                                [](const auto& a, const auto& b) { return a.first < b; });
        if (place != sorted.end() && place->first == name)
            place->second = &entry;
        else
            sorted.insert(place, {name, &entry});
    }
    std::string block;
    for (const auto& [name, entry] : sorted)
        block.append(*entry).push_back('\0');
    return block.append(sorted.empty() ? 2 : 1, '\0');
}

}  // namespace multiprocessing::detail
