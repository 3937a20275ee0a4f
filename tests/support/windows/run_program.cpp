// SPDX-License-Identifier: MIT
#include "support/run_program.hpp"

#include <system_error>

#include "support/windows/api.hpp"

namespace support {

namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what);
}

/// Every word in quotes: none of the tests has one with a quote or a backslash at its end.
std::string command_line(const std::vector<std::string>& command) {
    std::string line;
    for (const std::string& word : command)
        line += (line.empty() ? "\"" : " \"") + word + "\"";
    return line;
}

std::string read_to_end(HANDLE from) {
    std::string text;
    char buffer[4096];
    for (DWORD count = 0; ::ReadFile(from, buffer, sizeof buffer, &count, nullptr) && count > 0;)
        text.append(buffer, count);
    return text;
}

/// C's streams end lines in the system's way.
void make_line_ends_plain(std::string& text) {
    for (auto at = text.find("\r\n"); at != text.npos; at = text.find("\r\n", at))
        text.erase(at, 1);
}

}  // namespace

program_result run_program(const std::vector<std::string>& command) {
    SECURITY_ATTRIBUTES inheritable{sizeof inheritable, nullptr, TRUE};
    HANDLE reader = nullptr;
    HANDLE writer = nullptr;
    if (!::CreatePipe(&reader, &writer, &inheritable, 0))
        fail("CreatePipe");
    ::SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOA startup{};
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdOutput = writer;
    startup.hStdError = writer;
    PROCESS_INFORMATION process{};
    std::string line = command_line(command);
    const BOOL started = ::CreateProcessA(nullptr, line.data(), nullptr, nullptr, TRUE, 0, nullptr,
                                          nullptr, &startup, &process);
    ::CloseHandle(writer);
    if (!started) {
        ::CloseHandle(reader);
        fail("CreateProcess " + line);
    }
    program_result result;
    result.out = read_to_end(reader);
    make_line_ends_plain(result.out);
    ::CloseHandle(reader);
    ::WaitForSingleObject(process.hProcess, INFINITE);
    DWORD status = 0;
    ::GetExitCodeProcess(process.hProcess, &status);
    result.exitcode = static_cast<int>(status);
    ::CloseHandle(process.hThread);
    ::CloseHandle(process.hProcess);
    return result;
}

}  // namespace support
