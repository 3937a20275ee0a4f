// SPDX-License-Identifier: MIT
// Holds the headers to the rules of the house, and shows of each rule that it can be broken.
#include <house/rules.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <support/catch.hpp>

using namespace house;

namespace {

namespace fs = std::filesystem;

const fs::path source_dir = MULTIPROCESSING_SOURCE_DIR;

std::string read(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

tree our_headers() {
    const fs::path root = source_dir / "include" / "multiprocessing";
    tree headers;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.path().extension() == ".hpp")
            headers[entry.path().lexically_relative(root).generic_string()] = read(entry.path());
    }
    return headers;
}

std::set<std::string> our_tests() {
    const fs::path root = source_dir / "tests";
    std::set<std::string> tests;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (entry.path().extension() == ".cpp")
            tests.insert(entry.path().lexically_relative(root).generic_string());
    }
    return tests;
}

void require_none(const complaints& found) {
    for (const auto& complaint : found)
        FAIL_CHECK(complaint);
}

}  // namespace

TEST_CASE("house: there are headers to look at") {
    REQUIRE(our_headers().contains("config.hpp"));
}

TEST_CASE("house: every header has its place in a layer") {
    require_none(check_every_header_has_a_place(our_headers()));
    CHECK(check_every_header_has_a_place({{"detail/stranger.hpp", ""}}).size() == 1);
}

TEST_CASE("house: every include points downwards") {
    require_none(check_includes_point_downwards(our_headers()));

    const auto complaints_of = [](const std::string& path, const std::string& text) {
        tree headers{{"error.hpp", ""},
                     {"queues.hpp", ""},
                     {"pool.hpp", ""},
                     {"synchronize.hpp", ""},
                     {"detail/posix/pipe.hpp", ""}};
        headers[path] = text;
        return check_includes_point_downwards(headers).size();
    };
    CHECK(complaints_of("queues.hpp", "#include <multiprocessing/error.hpp>\n") == 0);
    CHECK(complaints_of("queues.hpp", "#include <multiprocessing/pool.hpp>\n") == 1);
    CHECK(complaints_of("queues.hpp", "// #include <multiprocessing/pool.hpp>\n") == 0);
    CHECK(complaints_of("queues.hpp", "#  include <multiprocessing/pool.hpp>  // why\n") == 1);
    CHECK(complaints_of("queues.hpp", "#include <multiprocessing/nowhere.hpp>\n") == 1);
    CHECK(complaints_of("queues.hpp", "#include \"error.hpp\"\n") == 1);
    CHECK(complaints_of("process.hpp", "#include <multiprocessing/queues.hpp>\n") == 1);
    CHECK(complaints_of("subprocess.hpp", "#include <multiprocessing/synchronize.hpp>\n") == 1);
    CHECK(complaints_of("process.hpp", "#include <multiprocessing/detail/posix/pipe.hpp>\n") == 1);
    CHECK(complaints_of("detail/os/pipe.hpp",
                        "#include <multiprocessing/detail/posix/pipe.hpp>\n") == 0);
}

TEST_CASE("house: no include goes in a circle") {
    require_none(check_no_include_cycle(our_headers()));

    const tree circle{{"a.hpp", "#include <multiprocessing/b.hpp>\n"},
                      {"b.hpp", "#include <multiprocessing/c.hpp>\n"},
                      {"c.hpp", "#include <multiprocessing/b.hpp>\n"}};
    CHECK(check_no_include_cycle(circle) == complaints{"cycle: b.hpp -> c.hpp -> b.hpp"});
}

TEST_CASE("house: the system is chosen in config.hpp and detail/os only") {
    require_none(check_no_system_macro(our_headers()));

    const std::string text = "#if defined(_WIN32)\n#endif\n";
    CHECK(check_no_system_macro({{"pool.hpp", text}}).size() == 1);
    CHECK(check_no_system_macro({{"detail/posix/pipe.hpp", text}}).size() == 1);
    CHECK(check_no_system_macro({{"config.hpp", text}, {"detail/os/pipe.hpp", text}}).empty());
    CHECK(check_no_system_macro({{"pool.hpp", "/* _WIN32\n _WIN32 */ int MY_WIN32;\n"}}).empty());
}

TEST_CASE("house: platform headers are included by backends only") {
    require_none(check_no_platform_header(our_headers()));

    const std::string text = "#include <vector>\n#include <cxxabi.h>\n#include <unistd.h>\n"
                             "#include <sys/wait.h>\n#include <Windows.h>\n";
    CHECK(check_no_platform_header({{"pool.hpp", text}}).size() == 3);
    CHECK(check_no_platform_header({{"detail/os/pipe.hpp", text}}).size() == 3);
    CHECK(check_no_platform_header({{"detail/posix/pipe.hpp", text}}).empty());
}

TEST_CASE("house: every header begins alike") {
    require_none(check_every_header_begins_alike(our_headers()));

    const std::string licence = "// SPDX-License-Identifier: MIT\n";
    CHECK(
        check_every_header_begins_alike({{"a.hpp", licence + "// Why.\n#pragma once\n"}}).empty());
    CHECK(check_every_header_begins_alike({{"a.hpp", licence + "#pragma once\n"}}).size() == 1);
    CHECK(check_every_header_begins_alike({{"a.hpp", "// Why.\n// It.\n#pragma once\n"}}).size() ==
          1);
    CHECK(check_every_header_begins_alike({{"a.hpp", licence + "// Why.\n#include <vector>\n"}})
              .size() == 1);
}

TEST_CASE("house: every macro has the library's prefix") {
    require_none(check_every_macro_has_our_prefix(our_headers()));
    CHECK(check_every_macro_has_our_prefix({{"a.hpp", "# define NOMINMAX\n"}}).size() == 1);
}

TEST_CASE("house: every public header has its test") {
    require_none(check_every_public_header_has_a_test(our_headers(), our_tests()));

    const tree headers{
        {"pool.hpp", ""}, {"os.hpp", ""}, {"queues.hpp", ""}, {"detail/ring.hpp", ""}};
    CHECK(check_every_public_header_has_a_test(headers, {"os.cpp", "queues/timeout.cpp"}) ==
          complaints{"pool.hpp: has neither tests/pool.cpp nor tests/pool/"});
}

TEST_CASE("house: comments are taken out and nothing else") {
    CHECK(without_comments("a // b\nc") == "a     \nc");
    CHECK(without_comments("a /* b\nb */ c") == "a     \n     c");
    CHECK(without_comments("\"//\" '\"' 1'000 // x") == "\"//\" '\"' 1'000     ");
    CHECK(without_comments("\"\\\"//\"") == "\"\\\"//\"");
}
