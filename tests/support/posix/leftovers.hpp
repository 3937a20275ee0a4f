// SPDX-License-Identifier: MIT
// The leftovers of support/leftovers.hpp: descriptors, and children that nobody waited for.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <multiprocessing/config.hpp>

#include "support/catch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(MULTIPROCESSING_THREAD_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace support {

/// The numbers that name the entries of a directory of /proc.
inline std::vector<int> numbers_in(const std::string& path) {
    std::vector<int> numbers;
    ::DIR* const directory = ::opendir(path.c_str());
    if (directory == nullptr)
        return numbers;
    while (const ::dirent* const entry = ::readdir(directory))
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
            std::atoi(entry->d_name) != ::dirfd(directory))
            numbers.push_back(std::atoi(entry->d_name));
    ::closedir(directory);
    return numbers;
}

/// Every open descriptor of this process and what it is open on.
inline std::map<int, std::string> open_descriptors() {
    std::map<int, std::string> open;
    for (const int fd : numbers_in("/proc/self/fd")) {
        char target[512] = {};
        const std::string link = "/proc/self/fd/" + std::to_string(fd);
        if (::readlink(link.c_str(), target, sizeof target - 1) > 0)
            open[fd] = target;
    }
    return open;
}

inline std::size_t count_handles() {
    return open_descriptors().size();
}

/// The children of this process, those included that have ended and were not waited for.
inline std::set<int> children() {
    std::set<int> found;
    for (const int thread : numbers_in("/proc/self/task")) {
        const std::string path = "/proc/self/task/" + std::to_string(thread) + "/children";
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd == -1)
            continue;
        std::string text;
        char buffer[4096];
        for (::ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(n));
        ::close(fd);
        for (std::size_t at = 0; at < text.size(); at = text.find(' ', at) + 1)
            found.insert(std::atoi(text.c_str() + at));
    }
    return found;
}

/// The thread sanitizer looks for what is suppressed by name, and starts a program that knows names
/// when it first wants one: it is to be there before anything is counted.
inline bool start_symbolizer() {
#if defined(MULTIPROCESSING_THREAD_SANITIZER)
    char name[64];
    __sanitizer_symbolize_pc(__builtin_return_address(0), "%f", name, sizeof name);
#endif
    return true;
}

/// Declared first in a test, so that it looks last.
class leftovers {
public:
    leftovers() = default;
    leftovers(const leftovers&) = delete;
    leftovers& operator=(const leftovers&) = delete;
    ~leftovers() {
        CHECK(open_descriptors() == descriptors_);
        CHECK(children() == children_);
    }

private:
    [[maybe_unused]] const bool ready_ = start_symbolizer();
    std::map<int, std::string> descriptors_ = open_descriptors();
    std::set<int> children_ = children();
};

}  // namespace support
