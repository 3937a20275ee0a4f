// SPDX-License-Identifier: MIT
// What the tests of pools share.
#pragma once

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace support {

/// Looks until `condition` holds; the test's watchdog ends it where it never does.
template <class Condition>
void await(Condition condition) {
    while (!condition())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// The letter of a process's state, such as 'R' or 'T' (stopped); 'X' if there is none.
inline char process_state(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const auto name_end = text.rfind(')');
    return name_end == text.npos ? 'X' : text[name_end + 2];
}

/// One that nobody has waited for yet is gone, too.
inline bool is_gone(int pid) {
    const char state = process_state(pid);
    return state == 'X' || state == 'Z';
}

}  // namespace support
