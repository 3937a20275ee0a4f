// Windows only: handles are numbers that are handed on, and counted, there.
// SPDX-License-Identifier: MIT
#include <multiprocessing/multiprocessing.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/contains.hpp"
#include "support/files.hpp"
#include "support/leftovers.hpp"
#include "support/subprocess.hpp"
#include "support/watchdog.hpp"
#include "support/windows/api.hpp"

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;
namespace sp = multiprocessing::subprocess;

namespace {

void nothing() {}

std::string this_program() {
    return mpd::own_program().front();
}

TEST_CASE("windows: two hundred starts leave the number of handles as it was") {
    const support::watchdog watchdog;
    const auto start_one = [] {
        mp::Process process(nothing);
        process.start();
        process.join();
        CHECK(process.exitcode() == 0);
    };
    start_one();  // What is made once and kept.
    const auto before = support::count_handles();
    for (int i = 0; i < 200; ++i)
        start_one();
    CHECK(support::count_handles() == before);
}

TEST_CASE("windows: starts that fail leave the number of handles as it was") {
    const support::watchdog watchdog;
    const auto start_all = [] {
        const sp::options piped{.stdin_ = sp::PIPE, .stdout_ = sp::PIPE, .stderr_ = sp::PIPE};
        const auto fails = [&](const sp::command& command, auto change) {
            sp::options how = piped;
            change(how);
            CHECK_THROWS_AS(sp::Popen(command, how), std::system_error);
        };
        fails({"no such program"}, [](sp::options&) {});
        fails({"no such program.bat"}, [](sp::options&) {});
        fails({"no \xff program"}, [](sp::options& how) { how.die_with_parent = true; });
        fails(support::tool(), [](sp::options& how) { how.cwd = "C:\\no such directory"; });
        fails(support::tool(), [](sp::options& how) { how.pass_fds = {support::never_opened()}; });
        fails(support::tool(), [](sp::options& how) { how.stderr_ = support::never_opened(); });
        fails(support::tool(), [](sp::options& how) { how.env = {{"A", "\xff"}}; });
    };
    start_all();  // What is made once and kept.
    const auto before = support::count_handles();
    for (int i = 0; i < 20; ++i)
        start_all();
    CHECK(support::count_handles() == before);
}

TEST_CASE("windows: a child that dies before it has read its job is a dead child, no more") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (int i = 0; i < 20; ++i) {
        mp::Process process(nothing);
        process.start();
        process.kill();
        CHECK(process.join());
        CHECK((process.exitcode() == -mpd::child_process::kill_signal || process.exitcode() == 0));
    }
}

TEST_CASE("windows: a handle that cannot be inherited is an error in the parent") {
    const support::leftovers leftovers;
    for (const mpd::native_handle object : {support::never_opened(), mpd::no_handle}) {
        mpd::child_process child;
        mpd::launch_plan plan;
        plan.candidates = {this_program()};
        plan.arguments = {"child"};
        plan.inherited = {object};
        mpd::launch_step step{};
        CHECK(mpd::child_process::exec(child, plan, step) == std::errc::bad_file_descriptor);
        CHECK(step == mpd::launch_step::inherited);
        CHECK(child.sentinel() == mpd::no_handle);
    }
}

TEST_CASE("windows: handles are marked as inherited for no longer than a start") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpd::handle lent = support::open_something();
    const auto start_some = [&] {
        for (int i = 0; i < 5; ++i)
            sp::run({this_program(), "--list-no-tests"},
                    {.stdout_ = sp::DEVNULL, .stderr_ = sp::DEVNULL, .pass_fds = {lent.get()}});
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back(start_some);
    for (auto& thread : threads)
        thread.join();
    CHECK_FALSE(support::is_inherited(lent.get()));
    support::make_inherited(lent.get());
    start_some();
    CHECK(support::is_inherited(lent.get()));
}

// Without a list of what it gets it got what another thread was lending to its own child just then:
// the end of a pipe, say, whose reader waited for its end in vain.
TEST_CASE("windows: a child without a list gets nothing of what is lent to another") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpd::pipe_ends pipe;
    REQUIRE_FALSE(mpd::open_pipe(pipe));
    mpd::launch_plan plan;
    plan.arguments = {"child"};
    plan.inherited = {pipe.writer.get()};
    mpd::launch_step step{};
    auto launch = std::make_unique<mpd::windows::prepared_launch>();
    REQUIRE_FALSE(launch->prepare(plan, step));
    auto started = std::async(std::launch::async, [] {
        return sp::Popen(support::tool("sleep"), {.stdin_ = sp::DEVNULL, .close_fds = false});
    });
    // It waits. Where it does not, it has begun by then.
    started.wait_for(std::chrono::milliseconds(300));
    launch.reset();
    sp::Popen child = started.get();
    CHECK_FALSE(support::is_inherited(pipe.writer.get()));
    pipe.writer.reset();
    bool ended = false;
    CHECK_FALSE(
        mpd::wait_ready(pipe.reader.get(), mpd::deadline::after(std::chrono::seconds(10)), ended));
    CHECK(ended);
    child.kill();
    child.wait();
}

// The exit code by which the system says that a process runs is one that a program may end with.
TEST_CASE("windows: a child that ended with the code of one that runs has ended") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpd::child_process child;
    mpd::launch_plan plan;
    plan.candidates = {support::tool_path()};
    plan.arguments = {"tool", "exit", "259"};
    mpd::launch_step step{};
    REQUIRE_FALSE(mpd::child_process::exec(child, plan, step));
    bool ended = false;
    REQUIRE_FALSE(mpd::wait_ready(child.sentinel(), mpd::deadline::never(), ended));
    CHECK_FALSE(child.signal(mpd::child_process::terminate_signal));
    std::optional<int> exitcode;
    CHECK_FALSE(child.reap(false, exitcode));
    CHECK(exitcode == 259);
}

// The system ends what a thread has under way when the thread ends, unless it is told otherwise.
TEST_CASE("windows: input that a thread left under way reaches its program") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const std::string input(300'000, 'x');
    sp::Popen child(support::tool("pause", "500", "count"),
                    {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    std::thread([&] {
        CHECK_THROWS_AS(child.communicate(input, std::chrono::milliseconds(100)),
                        sp::TimeoutExpired);
    }).join();
    CHECK(child.communicate().stdout_ == "300000");
    CHECK(child.returncode() == 0);
}

// The job travels as a handle that its child inherits. Whoever else names it has no such handle, or
// another object under its number.
TEST_CASE("windows: a job that another process names is refused, with the reason") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpd::shared_block block;
    REQUIRE_FALSE(mpd::shared_block::create(block, 100));
    const mpd::handle other = support::open_something();
    const auto run = [](const std::string& job, std::vector<mpd::native_handle> handles) {
        return sp::run({this_program(), "--multiprocessing-spawn", job},
                       {.stderr_ = sp::PIPE, .pass_fds = std::move(handles)});
    };
    const auto is_refused = [](const sp::CompletedProcess& ended) {
        INFO(ended.stderr_);
        CHECK(ended.returncode == 1);
        CHECK(ended.stderr_.find("a spawned child cannot run") != std::string::npos);
    };
    is_refused(run(std::to_string(block.native()) + ":50", {}));
    is_refused(run(std::to_string(other.get()) + ":50", {other.get()}));
    is_refused(run(std::to_string(block.native()) + ":50", {block.native()}));
    is_refused(run(std::to_string(block.native()) + ":5000000", {block.native()}));
    is_refused(run("0:1", {}));
    is_refused(run("-1:1", {}));
}

/// Tries to close the handles of all jobs that this process is in, and returns how many there were.
int close_own_jobs() {
    int jobs = 0;
    for (std::uintptr_t number = 4; number < 4000; number += 4) {
        const auto object = reinterpret_cast<HANDLE>(number);
        BOOL is_in = 0;
        if (::IsProcessInJob(::GetCurrentProcess(), object, &is_in) == 0 || is_in == 0)
            continue;
        ++jobs;
        ::CloseHandle(object);
    }
    return jobs;
}

// Closing a worker's job would end it; under Wine 8 also the process that has the pool.
TEST_CASE("windows: a task that closes every handle of a job ends no worker") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1);
    const int worker = pool.apply(mp::os::getpid);
    CHECK(pool.apply(close_own_jobs) == 1);
    CHECK(pool.apply(close_own_jobs) == 1);
    CHECK(pool.apply(mp::os::getpid) == worker);
    pool.close();
    pool.join();
}

TEST_CASE("windows: who may not touch a process is told so") {
    CHECK_THROWS_AS(mp::os::kill(4, 1000), std::system_error);
    CHECK_THROWS_AS(mp::set_start_method("fork", true), mp::ValueError);
    CHECK(mp::get_all_start_methods() == std::vector<std::string>{"spawn"});
}

}  // namespace
