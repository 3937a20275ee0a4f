// SPDX-License-Identifier: MIT
#include "support/mappings.hpp"

#include <cstdint>
#include <fstream>
#include <string>

#include <sys/resource.h>

namespace support {

std::vector<std::span<std::byte>> mapped_blocks() {
    std::vector<std::span<std::byte>> blocks;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("memfd:multiprocessing") == line.npos)
            continue;
        const auto dash = line.find('-');
        const std::uintptr_t begin = std::stoull(line.substr(0, dash), nullptr, 16);
        const std::uintptr_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
        blocks.emplace_back(reinterpret_cast<std::byte*>(begin), end - begin);
    }
    return blocks;
}

std::size_t peak_bytes() {
    struct rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

}  // namespace support
