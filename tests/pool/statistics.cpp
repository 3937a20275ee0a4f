// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace mp = multiprocessing;
using namespace std::chrono_literals;

namespace {

int nap(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return milliseconds;
}

std::vector<char> echo(std::vector<char> bytes) {
    return bytes;
}

class scratch {
public:
    scratch() = default;
    scratch(const scratch&) = delete;
    scratch& operator=(const scratch&) = delete;
    ~scratch() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    std::string path() const { return path_.string(); }
    std::string text() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }

private:
    std::filesystem::path path_ =
        std::filesystem::temp_directory_path() /
        ("multiprocessing-trace-" + std::to_string(mp::os::getpid()) + ".json");
};

#if defined(MULTIPROCESSING_POSIX)
/// The descriptor that this process has of a file; -1 if it has none.
int descriptor_of(const std::string& path) {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ec;  // The one that lists the folder is gone.
        if (std::filesystem::read_symlink(entry.path(), ec) == path)
            return std::stoi(entry.path().filename().string());
    }
    return -1;
}

/// Has no standard input while it lives.
class without_input {
public:
    without_input() : saved_(::fcntl(0, F_DUPFD_CLOEXEC, 3)) { ::close(0); }
    without_input(const without_input&) = delete;
    without_input& operator=(const without_input&) = delete;
    ~without_input() {
        ::dup2(saved_, 0);
        ::close(saved_);
    }

private:
    int saved_;
};
#endif

}  // namespace

TEST_CASE(
    "pool: statistics count tasks, bytes and times of each worker, also of those that ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto start = std::chrono::steady_clock::now();
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD, .measure = true});
    pool.map(nap, std::vector<int>(20, 2), {.chunksize = 1});
    pool.apply(echo, mp::args(std::vector<char>(1 << 20)));
    CHECK_THROWS_AS(pool.apply([] { mp::os::_exit(1); }), mp::WorkerLostError);
    CHECK(pool.apply(nap, mp::args(0)) == 0);
    const auto workers = pool.statistics();
    const auto passed = std::chrono::steady_clock::now() - start;
    REQUIRE(workers.size() == 3);
    std::uint64_t tasks = 0;
    std::uint64_t in = 0;
    std::uint64_t out = 0;
    std::chrono::nanoseconds busy{0};
    int alive = 0;
    for (const auto& worker : workers) {
        CHECK(worker.pid > 0);
        CHECK(support::contains(worker.name, "PoolWorker-"));
        CHECK(worker.idle >= 0ns);
        CHECK(worker.busy + worker.idle <= passed);
        tasks += worker.tasks;
        in += worker.bytes_in;
        out += worker.bytes_out;
        busy += worker.busy;
        alive += worker.alive;
    }
    CHECK(tasks == 22);
    CHECK(in > 1 << 20);
    CHECK(out > 1 << 20);
    CHECK(busy >= 40ms);
    CHECK(alive == 2);
}

TEST_CASE("pool: without being asked it counts tasks and measures no times") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    pool.apply(nap, mp::args(1));
    const auto workers = pool.statistics();
    REQUIRE(workers.size() == 1);
    CHECK(workers[0].tasks == 1);
    CHECK(workers[0].busy == 0ns);
    CHECK(workers[0].idle == 0ns);
}

TEST_CASE("pool: a trace has a row for each worker and a bar for each task") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const scratch file;
    {
        mp::Pool pool(2, {.start_method = EVERY_START_METHOD, .trace = file.path()});
        pool.map(nap, std::vector<int>(10, 1), {.chunksize = 1});
        CHECK_THROWS_AS(pool.apply([](int x) -> int { throw x; }, mp::args(1)), mp::RemoteError);
        pool.close();
        pool.join();
    }
    const std::string text = file.text();
    CHECK(text.front() == '[');
    CHECK(text.substr(text.size() - 3) == "\n]\n");
    CHECK(support::count_of(text, R"("ph":"M")") == 2);
    CHECK(support::count_of(text, R"("ph":"X")") == 11);
    CHECK(support::contains(text, "over a range"));
    CHECK(support::count_of(text, "{") == support::count_of(text, "}"));
    try {
        mp::Pool(1, {.trace = "/nowhere/at/all"});
        FAIL("nothing was thrown");
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
        CHECK(support::contains(error.what(), "write the trace '/nowhere/at/all'"));
    }
}

TEST_CASE("pool: a trace that is larger than its buffer is whole") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const scratch file;
    {
        mp::Pool pool(2, {.start_method = EVERY_START_METHOD, .trace = file.path()});
        pool.map(nap, std::vector<int>(2000, 0), {.chunksize = 1});
        pool.close();
        pool.join();
    }
    const std::string text = file.text();
    CHECK(support::count_of(text, R"("ph":"X")") == 2000);
    CHECK(support::count_of(text, "{") == support::count_of(text, "}"));
    CHECK(text.substr(text.size() - 3) == "\n]\n");
}

#if defined(MULTIPROCESSING_POSIX)  // On Windows handles are inherited only where that is asked
                                    // for.
// It was a stream of the standard library, which every program that the process started had, too,
// and which could become its standard input.
TEST_CASE("pool: the file of a trace is closed on exec and no standard stream") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const scratch file;
    const without_input closed;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD, .trace = file.path()});
    const int descriptor = descriptor_of(file.path());
    CHECK(descriptor > 2);
    CHECK((::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(pool.apply(nap, mp::args(0)) == 0);
}
#endif
