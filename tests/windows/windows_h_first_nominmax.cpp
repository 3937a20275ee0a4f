// Windows only: <windows.h> is.
// SPDX-License-Identifier: MIT
// <windows.h> first, as small as it can be.
#undef NOMINMAX
#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#define NO_STRICT
#include <windows.h>

#include <multiprocessing/multiprocessing.hpp>

#include "support/catch.hpp"

namespace mp = multiprocessing;

namespace {

int twice(int number) {
    return 2 * number;
}

TEST_CASE("windows.h: the library and the system's own functions work together (first, nominmax)") {
    mp::Pool pool(1);
    CHECK(pool.apply(twice, mp::args(21)) == 42);
    mp::Process process([] { ::Sleep(1); });
    process.start();
    CHECK(::WaitForSingleObject(reinterpret_cast<HANDLE>(process.sentinel()), INFINITE) ==
          WAIT_OBJECT_0);
    process.join();
    mp::Queue<int> queue;
    queue.put(static_cast<int>(::GetCurrentProcessId()));
    CHECK(queue.get() == mp::os::getpid());
}

}  // namespace
