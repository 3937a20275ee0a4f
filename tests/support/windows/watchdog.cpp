// SPDX-License-Identifier: MIT
#include "support/windows/watchdog.hpp"

#include <cstdio>

#include "support/windows/api.hpp"

namespace support {

// A thread of the system's own making: the C++ library's would keep handles when it has ended.
watchdog::watchdog(unsigned seconds, std::source_location where)
    : seconds_(seconds), where_(where), over_(::CreateEventW(nullptr, TRUE, FALSE, nullptr)),
      thread_(::CreateThread(nullptr, 0, watch, this, 0, nullptr)) {}

watchdog::~watchdog() {
    ::SetEvent(over_);
    ::WaitForSingleObject(thread_, INFINITE);
    ::CloseHandle(thread_);
    ::CloseHandle(over_);
}

unsigned long __stdcall watchdog::watch(void* self) {
    const auto& dog = *static_cast<watchdog*>(self);
    if (::WaitForSingleObject(dog.over_, dog.seconds_ * 1000) == WAIT_OBJECT_0)
        return 0;
    std::fprintf(stderr, "watchdog: the test hangs that begins at %s:%u\n", dog.where_.file_name(),
                 static_cast<unsigned>(dog.where_.line()));
    std::fflush(stderr);
    ::TerminateProcess(::GetCurrentProcess(), 3);
    return 0;
}

}  // namespace support
