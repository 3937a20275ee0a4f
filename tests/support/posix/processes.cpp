// SPDX-License-Identifier: MIT
#include "support/processes.hpp"

#include <csignal>
#include <fstream>
#include <string>

#include <unistd.h>

namespace support {

namespace {

/// The letter of a process's state, such as 'R' or 'T' (stopped); 'X' if there is none.
char state_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    // Not by the buffer's own iterators: they throw where the process goes between open and read.
    std::string text;
    std::getline(file, text, '\0');
    const auto name_end = text.rfind(')');
    return name_end == text.npos ? 'X' : text[name_end + 2];
}

}  // namespace

bool is_gone(int pid) {
    const char state = state_of(pid);
    return state == 'X' || state == 'Z';
}

bool is_reaped(int pid) {
    return state_of(pid) == 'X';
}

void stop_process(int pid) {
    multiprocessing::os::kill(pid, SIGSTOP);
    await_stopped(pid);
}

void continue_process(int pid) {
    multiprocessing::os::kill(pid, SIGCONT);
}

void stop_this_process() {
    ::raise(SIGSTOP);
}

void await_stopped(int pid) {
    await([&] { return state_of(pid) == 'T' || is_gone(pid); });
}

void await_sleep(int pid) {
    while (state_of(pid) != 'S')
        std::this_thread::yield();
}

}  // namespace support
