// SPDX-License-Identifier: MIT
// The watchdog of support/watchdog.hpp: an alarm.
#pragma once

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <source_location>

#include <unistd.h>

namespace support {

/// For as long as it lives the process is aborted after `seconds`; one at a time.
class watchdog {
public:
    /// Much more than a test takes on a slow machine, less than CTest's TIMEOUT.
    static constexpr unsigned usual = 240;

    explicit watchdog(unsigned seconds = usual,
                      const std::source_location where = std::source_location::current()) {
        where_ = where;
        struct sigaction bark {};
        bark.sa_handler = [](int) { abort_test(); };
        ::sigaction(SIGALRM, &bark, &before_);
        ::alarm(seconds);
    }
    watchdog(const watchdog&) = delete;
    watchdog& operator=(const watchdog&) = delete;
    ~watchdog() {
        ::alarm(0);
        ::sigaction(SIGALRM, &before_, nullptr);
    }

private:
    static void print(const char* text) noexcept {
        // Nothing to do on failure: the process is about to abort.
        static_cast<void>(!::write(2, text, std::strlen(text)));
    }

    [[noreturn]] static void abort_test() noexcept {
        print("watchdog: the test hangs that begins at ");
        print(where_.file_name());
        char line[16];
        char* end = line + 15;
        *end = '\0';
        for (auto rest = where_.line(); rest > 0; rest /= 10)
            *--end = static_cast<char>('0' + rest % 10);
        print(":");
        print(end);
        print("\n");
        ::signal(SIGABRT, SIG_DFL);
        ::abort();
    }

    static inline std::source_location where_;
    struct sigaction before_ {};
};

}  // namespace support
