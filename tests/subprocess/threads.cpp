// SPDX-License-Identifier: MIT
#include "support/subprocess.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/rounds.hpp"

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
    in_threads(4, [](int) {
        for (int i = 0; i < 30; ++i) {
            sp::Popen p(tool("sleep"), {.die_with_parent = true});
            p.kill();
        }
    });
    while (!support::children().empty())
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
