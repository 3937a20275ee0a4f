// Windows only: <windows.h> is.
// SPDX-License-Identifier: MIT
// <windows.h> first, with the macros that it makes of common words.
// The standard library, which is not what is tested, before them: MinGW's does not bear them.
#include <algorithm>
#include <any>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <ios>
#include <iostream>
#include <iterator>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#undef NOMINMAX
#include <windows.h>

// MinGW's makes the first two for C only, Microsoft's for C++ as well.
#undef min
#undef max
#undef small
#undef near
#undef far
#undef interface
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define near
#define far
#define interface struct

#include <multiprocessing/multiprocessing.hpp>

#undef min
#undef max
#undef small

#include "support/catch.hpp"

namespace mp = multiprocessing;

namespace {

int twice(int number) {
    return 2 * number;
}

TEST_CASE("windows.h: the library and the system's own functions work together (first, macros)") {
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
