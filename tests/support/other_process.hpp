// SPDX-License-Identifier: MIT
// A process of a test's own that does not outlive its scope.
#pragma once

#include <string>
#include <utility>

#include <multiprocessing/process.hpp>

namespace support {

/// Runs a target in another process; killed and waited for at the latest by the destructor.
class other_process {
public:
    template <class Target, class Arguments>
    other_process(const std::string& method, Target target, Arguments arguments)
        : process_(target, std::move(arguments), {.start_method = method}) {
        process_.start();
    }
    other_process(const other_process&) = delete;
    other_process& operator=(const other_process&) = delete;
    ~other_process() {
        kill();
        wait();
    }

    int pid() { return process_.pid().value(); }
    void kill() { process_.kill(); }
    int wait() {
        process_.join();
        return process_.exitcode().value();
    }

private:
    multiprocessing::Process process_;
};

}  // namespace support
