// SPDX-License-Identifier: MIT
#include "support/mappings.hpp"

#include "support/windows/api.hpp"

#include <psapi.h>

namespace support {

// Sections have no names to know the library's by: these are all that may be written to.
std::vector<std::span<std::byte>> mapped_blocks() {
    std::vector<std::span<std::byte>> blocks;
    MEMORY_BASIC_INFORMATION region{};
    for (std::byte* at = nullptr; ::VirtualQuery(at, &region, sizeof region) != 0;
         at += region.RegionSize) {
        at = static_cast<std::byte*>(region.BaseAddress);
        if (region.Type == MEM_MAPPED && region.State == MEM_COMMIT &&
            region.Protect == PAGE_READWRITE)
            blocks.emplace_back(at, region.RegionSize);
    }
    return blocks;
}

std::size_t peak_bytes() {
    PROCESS_MEMORY_COUNTERS counters{};
    ::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters);
    return counters.PeakWorkingSetSize;
}

}  // namespace support
