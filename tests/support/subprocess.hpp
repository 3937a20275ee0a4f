// SPDX-License-Identifier: MIT
// What the tests of subprocess share.
#pragma once

#include <multiprocessing/subprocess.hpp>

#include <chrono>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/run_program.hpp"
#include "support/watchdog.hpp"

namespace sp = multiprocessing::subprocess;
using namespace std::chrono_literals;

namespace support {

/// What every test declares first: nothing left behind, and no hang.
struct tidy {
    explicit tidy(std::source_location where = std::source_location::current())
        : limit(watchdog::usual, where) {}

    leftovers checked;
    watchdog limit;
};

/// The path of tests/children/tool, which follows the instructions that are its arguments.
inline std::string tool_path() {
    return child_program("tool");
}

/// It with these instructions; without any it ends at once with 0.
template <class... Words>
sp::command tool(const Words&... words) {
    return {tool_path(), words...};
}

#if defined(MULTIPROCESSING_POSIX)
/// A script of the shell.
inline sp::command shell(std::string script) {
    return {"/bin/sh", "-c", std::move(script)};
}
#endif

/// The error of a program that does not start.
template <class Start>
std::system_error error_of(Start start) {
    try {
        start();
    } catch (const std::system_error& error) {
        return error;
    }
    FAIL("nothing was thrown");
    return std::system_error(std::error_code());
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace support
