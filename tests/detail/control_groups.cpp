// SPDX-License-Identifier: MIT
// POSIX only: Windows has no control groups.
#include <multiprocessing/detail/os/system.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/catch.hpp"

using namespace multiprocessing::detail::posix;

namespace {

/// A hierarchy of groups under a directory of its own.
struct groups {
    groups() {
        char name[] = "/tmp/multiprocessing-groups-XXXXXX";
        REQUIRE(::mkdtemp(name) != nullptr);
        root = name;
    }
    ~groups() { std::filesystem::remove_all(root); }
    void write(const std::string& file, const std::string& text) const {
        std::filesystem::create_directories(std::filesystem::path(root + file).parent_path());
        std::ofstream(root + file) << text;
    }
    std::string root;
};

}  // namespace

TEST_CASE("system: the group of a controller is read from the table of this process") {
    const std::string both =
        "12:cpuset:/c\n4:cpu,cpuacct:/first/cpu\n1:name=systemd:/s\n0::/uni/fied\n";
    CHECK(control_group(both, "") == "/uni/fied");
    CHECK(control_group(both, "cpu") == "/first/cpu");
    CHECK(control_group(both, "cpuacct") == "/first/cpu");
    CHECK(control_group(both, "cpuset") == "/c");
    CHECK(control_group(both, "memory").empty());
    CHECK(control_group("0::/", "") == "/");
    CHECK(control_group("0::/a:b\n", "") == "/a:b");
    CHECK(control_group("", "").empty());
    CHECK(control_group("garbage\n::\n", "cpu").empty());
    CHECK(control_group("\n\n0::/x", "") == "/x");
}

TEST_CASE("system: a quota is a share of time in each period, or none") {
    const groups made;
    made.write("/a/cpu.max", "150000 100000\n");
    made.write("/b/cpu.max", "max 100000\n");
    made.write("/c/cpu.max", "");
    made.write("/d/cpu.max", "100000 0\n");
    made.write("/e/cpu.max", "nonsense\n");
    CHECK(unified_quota(made.root + "/a") == 1.5);
    for (const auto* none : {"/b", "/c", "/d", "/e", "/missing"})
        CHECK(unified_quota(made.root + none) == 0);
    made.write("/v1/cpu.cfs_quota_us", "50000\n");
    made.write("/v1/cpu.cfs_period_us", "100000\n");
    made.write("/v1none/cpu.cfs_quota_us", "-1\n");
    made.write("/v1none/cpu.cfs_period_us", "100000\n");
    CHECK(first_version_quota(made.root + "/v1") == 0.5);
    CHECK(first_version_quota(made.root + "/v1none") == 0);
}

TEST_CASE("system: the tightest quota of a group and those above it counts") {
    const groups made;
    made.write("/cpu.max", "800000 100000\n");
    made.write("/a/cpu.max", "200000 100000\n");
    made.write("/a/b/cpu.max", "400000 100000\n");
    made.write("/a/b/c/cpu.max", "max 100000\n");
    CHECK(tightest_quota("/a/b/c", made.root, unified_quota) == 2);
    CHECK(tightest_quota("/other", made.root, unified_quota) == 8);
    CHECK(tightest_quota("/", made.root, unified_quota) == 8);
    CHECK(tightest_quota("", made.root, unified_quota) == 8);
}

TEST_CASE("system: signals have names") {
    CHECK(signal_name(9) == "SIGKILL");
    CHECK(signal_name(15) == "SIGTERM");
    CHECK(signal_name(12345) == "signal 12345");
}
