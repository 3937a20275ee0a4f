// SPDX-License-Identifier: MIT
// Windows only: a stream may be a file there that is written by overlapped operations.
#include <multiprocessing/multiprocessing.hpp>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The lines of a pool's workers go to standard error, which may be a file. Such an operation says
// where in the file it writes: each wrote at the beginning, over what was there.
TEST_CASE("windows: what is written to a file follows what it holds") {
    const support::leftovers leftovers;
    const auto path = std::filesystem::temp_directory_path() /
                      ("mp_files_" + std::to_string(mp::os::getpid()) + ".txt");
    {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
            std::fopen(path.string().c_str(), "wb"), &std::fclose);
        REQUIRE(file);
        std::fputs("one ", file.get());
        std::fflush(file.get());
        const mpd::native_handle object = mpd::file_handle(file.get());
        REQUIRE_FALSE(mpd::write_all(object, bytes_of("two "), bytes_of("three ")));
        REQUIRE_FALSE(mpd::write_all(object, bytes_of("four ")));
        std::fputs("five", file.get());
    }
    CHECK(content(path) == "one two three four five");
    std::filesystem::remove(path);
}

}  // namespace
