// SPDX-License-Identifier: MIT
// A program for tests to start, the same on every system. Its arguments are instructions, which it
// follows in their order:
//
//   out TEXT, err TEXT   writes the text         cat     copies its input to its output
//   arguments WORD...    writes each, with |     tee     copies its input to both outputs
//   environment          writes NAME=VALUE\n     upper   copies its input in capitals
//   directory, pid       writes that and \n      count   writes how many bytes its input has
//   close in|out|err     closes the stream       line    reads a line
//   zeros N              writes N bytes          yes     writes y\n for ever
//   exit N               ends with the status    sleep   does nothing for ever
//   pause N              waits N milliseconds
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#if defined(_WIN32)
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#else
#include <unistd.h>
extern char** environ;
#endif

namespace {

void write(std::FILE* to, const std::string& text) {
    // A reader that is gone is no business of this program's, unless the system makes it one.
    static_cast<void>(!std::fwrite(text.data(), 1, text.size(), to));
    std::fflush(to);
}

template <class Piece>
void each_piece(Piece piece) {
    char buffer[4096];
    // Not fread, which waits until the buffer is full.
#if defined(_WIN32)
    for (int count = 0; (count = ::_read(0, buffer, sizeof buffer)) > 0;)
#else
    for (::ssize_t count = 0; (count = ::read(0, buffer, sizeof buffer)) > 0;)
#endif
        piece(std::string(buffer, static_cast<std::size_t>(count)));
}

void copy_to_both() {
    each_piece([](const std::string& piece) {
        write(stdout, piece);
        write(stderr, piece);
    });
}
void copy_in_capitals() {
    each_piece([](std::string piece) {
        for (char& c : piece)
            c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        write(stdout, piece);
    });
}
void count_input() {
    std::size_t bytes = 0;
    each_piece([&](const std::string& piece) { bytes += piece.size(); });
    write(stdout, std::to_string(bytes));
}
void read_line() {
    char c = 0;
#if defined(_WIN32)
    while (::_read(0, &c, 1) == 1 && c != '\n') {
#else
    while (::read(0, &c, 1) == 1 && c != '\n') {
#endif
    }
}
void close_stream(const std::string& name) {
    std::fclose(name == "in" ? stdin : name == "out" ? stdout : stderr);
}
void write_for_ever() {
    while (std::fwrite("y\n", 1, 2, stdout) == 2) {
    }
}
[[noreturn]] void sleep_for_ever() {
    for (;;)
        std::this_thread::sleep_for(std::chrono::hours(24));
}

#if defined(_WIN32)
// What a test sees are the bytes of UTF-8, with neither a code page nor line ends of the system's.
std::string narrow(const wchar_t* text) {
    const int bytes = ::WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr) - 1;
    std::string narrowed(static_cast<std::size_t>(bytes), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, text, -1, narrowed.data(), bytes, nullptr, nullptr);
    return narrowed;
}
std::vector<std::string> own_arguments(int, char**) {
    for (int stream = 0; stream < 3; ++stream)
        ::_setmode(stream, _O_BINARY);
    int count = 0;
    wchar_t** const wide = ::CommandLineToArgvW(::GetCommandLineW(), &count);
    std::vector<std::string> all;
    for (int i = 1; i < count; ++i)
        all.push_back(narrow(wide[i]));
    ::LocalFree(wide);
    return all;
}
int own_number() {
    return static_cast<int>(::GetCurrentProcessId());
}
std::string own_directory() {
    return narrow(std::filesystem::current_path().c_str());
}
std::vector<std::string> own_environment() {
    std::vector<std::string> all;
    wchar_t* const block = ::GetEnvironmentStringsW();
    for (const wchar_t* each = block; *each != L'\0'; each += std::wcslen(each) + 1)
        all.push_back(narrow(each));
    ::FreeEnvironmentStringsW(block);
    return all;
}
#else
std::vector<std::string> own_arguments(int argc, char** argv) {
    return {argv + 1, argv + argc};
}
int own_number() {
    return ::getpid();
}
std::string own_directory() {
    return std::filesystem::current_path().string();
}
std::vector<std::string> own_environment() {
    std::vector<std::string> all;
    for (char** each = environ; *each != nullptr; ++each)
        all.emplace_back(*each);
    return all;
}
#endif

void write_environment() {
    for (const std::string& variable : own_environment())
        write(stdout, variable + "\n");
}

using plain = std::function<void()>;
using with_word = std::function<void(const std::string&)>;

const std::map<std::string, plain> plain_instructions{
    {"cat", [] { each_piece([](const std::string& piece) { write(stdout, piece); }); }},
    {"tee", copy_to_both},
    {"upper", copy_in_capitals},
    {"count", count_input},
    {"line", read_line},
    {"yes", write_for_ever},
    {"sleep", sleep_for_ever},
    {"environment", write_environment},
    {"pid", [] { write(stdout, std::to_string(own_number()) + "\n"); }},
    {"directory", [] { write(stdout, own_directory() + "\n"); }},
};

const std::map<std::string, with_word> word_instructions{
    {"out", [](const std::string& text) { write(stdout, text); }},
    {"err", [](const std::string& text) { write(stderr, text); }},
    {"close", [](const std::string& name) { close_stream(name); }},
    {"zeros", [](const std::string& n) { write(stdout, std::string(std::stoul(n), '\0')); }},
    {"pause",
     [](const std::string& n) {
         std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(n)));
     }},
    {"exit", [](const std::string& status) { std::exit(std::atoi(status.c_str())); }},
};

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words = own_arguments(argc, argv);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& instruction = words[i];
        if (instruction == "arguments") {
            while (++i < words.size())
                write(stdout, words[i] + "|");
        } else if (const auto found = plain_instructions.find(instruction);
                   found != plain_instructions.end()) {
            found->second();
        } else if (const auto with = word_instructions.find(instruction);
                   with != word_instructions.end() && i + 1 < words.size()) {
            with->second(words[++i]);
        } else {
            std::cerr << "tool: " << instruction << "?\n";
            return 2;
        }
    }
}
