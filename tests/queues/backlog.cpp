// SPDX-License-Identifier: MIT
// An unbounded queue takes what comes; its memory goes when the backlog does.
#include <multiprocessing/queues.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/rounds.hpp"
#include "support/watchdog.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <sys/stat.h>
#endif

namespace {

namespace mp = multiprocessing;

#if defined(MULTIPROCESSING_POSIX)
/// What the system keeps for blocks of shared memory that this process has open.
std::uint64_t shared_bytes() {
    std::uint64_t bytes = 0;
    for (const auto& [fd, target] : support::open_descriptors()) {
        struct ::stat now {};
        if (target.find("memfd:multiprocessing") != target.npos && ::fstat(fd, &now) == 0)
            bytes += static_cast<std::uint64_t>(now.st_blocks) * 512;
    }
    return bytes;
}

bool holds_more_than(std::uint64_t bytes) {
    return shared_bytes() > bytes;
}
bool holds_less_than(std::uint64_t bytes) {
    return shared_bytes() < bytes;
}
#else  // Windows does not tell.
bool holds_more_than(std::uint64_t) {
    return true;
}
bool holds_less_than(std::uint64_t) {
    return true;
}
#endif

constexpr int millions = support::rounds(3'000'000);

void take_all(mp::Queue<int> queue) {
    for (int i = 0; i < millions; ++i)
        if (queue.get() != i)
            throw mp::ProcessError("out of order");
}

TEST_CASE("queue: millions wait without a consumer, and leave no memory behind when taken") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    mp::Queue<int> queue;
    for (int i = 0; i < millions; ++i)
        queue.put_nowait(i);
    CHECK(queue.qsize() == millions);
    CHECK(holds_more_than(16ULL * millions));
    mp::Process child(take_all, mp::args(queue), {.start_method = method});
    child.start();
    CHECK(child.join());
    CHECK(child.exitcode() == 0);
    CHECK(queue.empty());
    // The consumer was the last to touch it. What is kept is ready for the next burst.
    CHECK(holds_less_than(5 << 20));
    for (int i = 0; i < 10'000; ++i) {
        queue.put(i);
        REQUIRE(queue.get() == i);
    }
}

TEST_CASE("queue: a large value's memory goes after it") {
    const support::watchdog watchdog;
    mp::Queue<std::vector<std::uint64_t>> queue;
    for (int i = 0; i < 4; ++i)
        queue.put(std::vector<std::uint64_t>(4 << 20, 7));
    CHECK(holds_more_than(100 << 20));
    for (int i = 0; i < 4; ++i)
        CHECK(queue.get().size() == 4 << 20);
    // Single values, or a stream of them, which goes on in a segment of its own.
    const std::size_t words = GENERATE(std::size_t{1}, std::size_t{40});
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        queue.put(std::vector<std::uint64_t>(words, i));
        REQUIRE(queue.get().front() == i);
    }
    CHECK(holds_less_than(5 << 20));
}

struct refusing {
    std::vector<std::uint64_t> ballast;
    template <class Archive>
    void serialize(Archive& archive) {
        archive(ballast);
        if (std::is_same_v<Archive, mp::detail::writing_archive> && ballast.size() > 1)
            throw mp::PicklingError("no");
    }
};

TEST_CASE("queue: the memory of a value that was not put after all is given back") {
    mp::Queue<refusing> queue;
    CHECK_THROWS_AS(queue.put({std::vector<std::uint64_t>(8 << 20, 7)}), mp::PicklingError);
    CHECK(holds_less_than(1 << 20));
    queue.put({{5}});
    CHECK(queue.get().ballast.front() == 5);
}

}  // namespace
