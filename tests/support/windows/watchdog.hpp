// SPDX-License-Identifier: MIT
// The watchdog of support/watchdog.hpp: a thread that waits for the end of the test.
#pragma once

#include <source_location>

namespace support {

/// For as long as it lives the process is ended after `seconds`.
class watchdog {
public:
    /// Much more than a test takes on a slow machine, less than CTest's TIMEOUT.
    static constexpr unsigned usual = 240;

    explicit watchdog(unsigned seconds = usual,
                      std::source_location where = std::source_location::current());
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog();

private:
    static unsigned long __stdcall watch(void* self);

    unsigned seconds_;
    std::source_location where_;
    void* over_;
    void* thread_;
};

}  // namespace support
