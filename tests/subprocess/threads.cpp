// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <multiprocessing/process.hpp>

#include "support/gate.hpp"
#include "support/rounds.hpp"

#if defined(MULTIPROCESSING_POSIX)
#include <pthread.h>
#endif

using support::tool;

namespace {

template <class Work>
void in_threads(int count, Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
        threads.emplace_back(work, i);
    for (std::thread& thread : threads)
        thread.join();
}

}  // namespace

TEST_CASE("threads: all who wait get the same return code") {
    const support::tidy tidy;
    for (int round = 0; round < 20; ++round) {
        sp::Popen p(tool("line", "exit", "3"), {.stdin_ = sp::PIPE});
        std::atomic<int> right = 0;
        std::atomic<int> started = 0;
        std::thread closer([&] {
            while (started < 4)
                std::this_thread::yield();
            p.stdin_.close();
        });
        in_threads(4, [&](int) {
            ++started;
            right += p.wait() == 3 ? 1 : 0;
        });
        closer.join();
        CHECK(right == 4);
    }
}

TEST_CASE("threads: poll does not block while another waits, and terminate ends the wait") {
    const support::tidy tidy;
    sp::Popen p(tool("sleep"));
    std::atomic<bool> waiting = false;
    int code = 0;
    std::thread waiter([&] {
        waiting = true;
        code = p.wait();
    });
    while (!waiting)
        std::this_thread::yield();
    for (int i = 0; i < 100; ++i)
        CHECK_FALSE(p.poll());
    p.terminate();
    waiter.join();
    CHECK(code == -support::terminate_signal);
    CHECK(p.returncode() == -support::terminate_signal);
}

TEST_CASE("threads: starts from many at once never mix their output") {
    const support::tidy tidy;
    std::atomic<int> wrong = 0;
    in_threads(4, [&](int thread) {
        for (int i = 0; i < support::rounds(100); ++i) {
            const std::string text = std::to_string(thread) + ":" + std::to_string(i);
            if (sp::run(tool("cat"), {.capture_output = true, .input = text}).stdout_ != text)
                ++wrong;
        }
    });
    CHECK(wrong == 0);
}

TEST_CASE("threads: programs may be killed and dropped by all of them") {
    const support::tidy tidy;
    const auto before = support::children();
    in_threads(4, [](int) {
        for (int i = 0; i < 30; ++i) {
            sp::Popen p(tool("sleep"), {.die_with_parent = true});
            p.kill();
        }
    });
    while (support::children() != before)
        sp::call(tool());
}

TEST_CASE("threads: hundreds of ends at once are all seen") {
    const support::tidy tidy;
    std::vector<sp::Popen> programs;
    sp::Popen gate(tool("cat"), {.stdin_ = sp::PIPE, .stdout_ = sp::PIPE});
    for (int i = 0; i < 200; ++i)
        programs.emplace_back(tool("cat", "exit", std::to_string(i % 100)),
                              sp::options{.stdin_ = gate.stdout_});
    gate.stdin_.close();
    gate.stdout_.close();
    for (std::size_t i = 0; i < programs.size(); ++i)
        CHECK(programs[i].wait() == static_cast<int>(i % 100));
    CHECK(gate.wait() == 0);
}

#if defined(MULTIPROCESSING_POSIX)  // They are about forks and threads' stacks.

using support::shell;

// A child that was forked at the moment had the writing end of the program's input, and `cat`
// waited for the child's end.
TEST_CASE("threads: a program's pipes are not in children that are forked meanwhile") {
    const support::tidy tidy;
    support::gate gate;
    std::vector<multiprocessing::Process> children;
    std::atomic<bool> done = false;
    std::thread runner([&] {
        for (int i = 0; i < 100; ++i)
            sp::run({"cat"}, {.capture_output = true, .input = "x"});
        done = true;
    });
    while (!done && children.size() < 200) {
        children.emplace_back(support::wait_for_end, multiprocessing::args(gate.reader()));
        children.back().start();
    }
    runner.join();
    for (std::size_t i = 0; i < children.size(); ++i)
        gate.open();
    for (auto& child : children)
        child.join();
}

// The list of dropped programs was locked while each was asked for its end; a child forked
// meanwhile waited for that lock for ever.
TEST_CASE("threads: a child forked while programs are reaped can drop one itself") {
    const support::tidy tidy;
    const auto before = support::children();
    support::gate gate;
    for (int i = 0; i < 100; ++i)
        sp::Popen({"head", "-c1"}, {.stdin_ = gate.ends.reader.get(), .stdout_ = sp::DEVNULL});
    std::atomic<bool> done = false;
    std::thread starter([&] {
        while (!done)
            sp::call({"true"});
    });
    for (int i = 0; i < 50; ++i) {
        multiprocessing::Process child([] { sp::Popen({"sleep", "0.01"}); });
        child.start();
        child.join();
    }
    done = true;
    starter.join();
    for (int i = 0; i < 100; ++i)
        gate.open();
    while (support::children() != before)
        sp::call({"true"});
}

// The child ran on a part of the stack of the thread that starts it.
TEST_CASE("threads: a program can be started from a thread with a small stack") {
    const support::tidy tidy;
    constexpr std::size_t room = 64 * 1024;
    constexpr std::size_t below = 64 * 1024;
    std::vector<unsigned char> memory(below + room + 4096, 0x5a);
    unsigned char* const stack = memory.data() + below + 4096 -
                                 (reinterpret_cast<std::uintptr_t>(memory.data()) + below) % 4096;
    ::pthread_attr_t attributes;
    REQUIRE(::pthread_attr_init(&attributes) == 0);
    REQUIRE(::pthread_attr_setstack(&attributes, stack, room) == 0);
    ::pthread_t thread;
    int code = -1;
    REQUIRE(::pthread_create(
                &thread, &attributes,
                [](void* result) -> void* {
                    *static_cast<int*>(result) = sp::call({"true"});
                    return nullptr;
                },
                &code) == 0);
    REQUIRE(::pthread_join(thread, nullptr) == 0);
    ::pthread_attr_destroy(&attributes);
    CHECK(code == 0);
    CHECK(std::all_of(memory.data(), stack, [](unsigned char byte) { return byte == 0x5a; }));
}

#endif
