// SPDX-License-Identifier: MIT
// What an error says, to be looked at in both versions of Catch2.
#pragma once

#include <string>
#include <string_view>

namespace support {

/// The text of the `Error` that `act` throws; empty if it throws none. Others pass through.
template <class Error, class Act>
std::string message_of(Act act) {
    try {
        act();
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

inline bool contains(std::string_view text, std::string_view piece) {
    return text.find(piece) != text.npos;
}

inline int count_of(std::string_view text, std::string_view piece) {
    int count = 0;
    for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + piece.size()))
        ++count;
    return count;
}

}  // namespace support
