// SPDX-License-Identifier: MIT
#include <multiprocessing/config.hpp>

#include <string>

#include <support/catch.hpp>

TEST_CASE("config: the version is the one that packages are told") {
    const std::string version = std::to_string(MULTIPROCESSING_VERSION_MAJOR) + "." +
                                std::to_string(MULTIPROCESSING_VERSION_MINOR) + "." +
                                std::to_string(MULTIPROCESSING_VERSION_PATCH);
    CHECK(version == MULTIPROCESSING_PACKAGE_VERSION);
}

TEST_CASE("config: exactly one system is chosen") {
    int systems = 0;
#if defined(MULTIPROCESSING_POSIX)
    ++systems;
#endif
#if defined(MULTIPROCESSING_WINDOWS)
    ++systems;
#endif
    CHECK(systems == 1);
}
