// SPDX-License-Identifier: MIT
// The exceptions of subprocess, with Python's sentences.
#pragma once

#include <chrono>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/subprocess_options.hpp>

namespace multiprocessing::subprocess {

/// The return code of a program whose end was collected by another part of this one (a wait for any
/// child, an ignored SIGCHLD) on a system that does not tell it a second time: Linux before 6.15.
/// Python says 0 there.
inline constexpr int unknown_returncode = (std::numeric_limits<int>::min)();

/// The root of this part's errors. A program that cannot be started is a `std::system_error`.
/// Python: `SubprocessError`.
struct SubprocessError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// How a program ended, as Python words it: "returned non-zero exit status 3.".
inline std::string describe_end(int returncode) {
    if (returncode == unknown_returncode)
        return "ended, and another part of this program took its exit status.";
    if (returncode >= 0)
        return "returned non-zero exit status " + std::to_string(returncode) + ".";
    const std::string name = detail::signal_name(-returncode);
    return name.starts_with("signal ")
               ? "died with unknown signal " + std::to_string(-returncode) + "."
               : "died with " + name + ".";
}

/// A program ended with another status than 0. Python: `CalledProcessError`.
class CalledProcessError : public SubprocessError {
public:
    CalledProcessError(int returncode, command cmd, std::string output = {},
                       std::string errors = {})
        : SubprocessError("Command '" + cmd.text() + "' " + describe_end(returncode)),
          returncode_(returncode), cmd_(std::move(cmd)), output_(std::move(output)),
          errors_(std::move(errors)) {}

    /// The exit status, or minus the signal.
    int returncode() const noexcept { return returncode_; }
    /// The command, as it was given.
    const command& cmd() const noexcept { return cmd_; }
    /// What was collected of standard output; empty if it was not.
    const std::string& output() const noexcept { return output_; }
    /// The same as `output()`.
    const std::string& stdout_() const noexcept { return output_; }
    /// What was collected of standard error; empty if it was not.
    const std::string& stderr_() const noexcept { return errors_; }

private:
    int returncode_;
    command cmd_;
    std::string output_;
    std::string errors_;
};

/// A program, or those who hold its pipes, took longer than allowed. Python: `TimeoutExpired`.
class TimeoutExpired : public SubprocessError {
public:
    TimeoutExpired(command cmd, std::chrono::nanoseconds timeout, std::string output = {},
                   std::string errors = {})
        : SubprocessError("Command '" + cmd.text() + "' timed out after " + seconds(timeout) +
                          " seconds"),
          cmd_(std::move(cmd)), timeout_(timeout), output_(std::move(output)),
          errors_(std::move(errors)) {}

    /// The command, as it was given.
    const command& cmd() const noexcept { return cmd_; }
    /// The time that was allowed.
    std::chrono::nanoseconds timeout() const noexcept { return timeout_; }
    /// What had come by then of standard output; empty if it was not collected.
    const std::string& output() const noexcept { return output_; }
    /// The same as `output()`.
    const std::string& stdout_() const noexcept { return output_; }
    /// What had come by then of standard error; empty if it was not collected.
    const std::string& stderr_() const noexcept { return errors_; }

private:
    static std::string seconds(std::chrono::nanoseconds time) {
        char text[32];
        std::snprintf(text, sizeof text, "%.12g", std::chrono::duration<double>(time).count());
        return text;
    }

    command cmd_;
    std::chrono::nanoseconds timeout_;
    std::string output_;
    std::string errors_;
};

}  // namespace multiprocessing::subprocess
