// SPDX-License-Identifier: MIT
#include <multiprocessing/connection.hpp>

#include <algorithm>
#include <chrono>
#include <list>
#include <string>
#include <system_error>
#include <vector>

#include <multiprocessing/detail/start_method.hpp>
#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace {

namespace mp = multiprocessing;
using namespace std::chrono_literals;
using waitables = std::vector<mp::connection::waitable>;

void send_some(mp::Connection end, int first) {
    for (int i = 0; i < 10; ++i)
        end.send(first + i);
}

TEST_CASE("connection::wait: serves many writers until each has closed its end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    std::vector<mp::Connection> readers;
    std::vector<mp::Process> children;
    for (int i = 0; i < 4; ++i) {
        auto [reader, writer] = mp::Pipe({.duplex = false});
        children.emplace_back(send_some, mp::args(writer, 100 * i),
                              mp::process_options{.start_method = method});
        children.back().start();
        writer.close();
        readers.push_back(reader);
    }
    std::vector<int> got;
    while (!readers.empty()) {
        for (mp::Connection& ready : mp::connection::wait(readers)) {
            try {
                got.push_back(ready.recv<int>());
            } catch (const mp::EOFError&) {
                std::erase(readers, ready);
            }
        }
    }
    std::sort(got.begin(), got.end());
    REQUIRE(got.size() == 40);
    for (int i = 0; i < 40; ++i)
        CHECK(got[static_cast<std::size_t>(i)] == i / 10 * 100 + i % 10);
    for (auto& child : children)
        CHECK(child.join());
}

TEST_CASE("connection::wait: nothing is ready: nothing is returned, when the time has passed") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    auto [left, right] = mp::Pipe();
    auto start = std::chrono::steady_clock::now();
    CHECK(mp::connection::wait({left, right}, 60ms).empty());
    CHECK(std::chrono::steady_clock::now() - start >= 60ms);
    CHECK(mp::connection::wait({left, right}, 0s).empty());
    CHECK(mp::connection::wait({left, right}, -1s).empty());
    CHECK(mp::connection::wait({left}, -1h).empty());
    right.send(1);
    CHECK(mp::connection::wait({left, right}, 1h) == waitables{left});
    CHECK(mp::connection::wait({left, right}, -1s) == waitables{left});
    start = std::chrono::steady_clock::now();
    CHECK(mp::connection::wait(std::vector<mp::Connection>{}, 10ms).empty());
    CHECK(std::chrono::steady_clock::now() - start >= 10ms);
}

TEST_CASE("connection::wait: connections, processes, sentinels and handles, in their order") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const auto method = GENERATE(from_range(mp::detail::all_start_methods()));
    auto [a, a_writer] = mp::Pipe({.duplex = false});
    auto [b, b_writer] = mp::Pipe({.duplex = false});
    mp::detail::pipe_ends pipe;
    REQUIRE_FALSE(mp::detail::open_pipe(pipe));
    const auto handle = pipe.reader.get();
    mp::Process child([](mp::Connection go) { go.recv<int>(); }, mp::args(a),
                      {.start_method = method});
    CHECK_THROWS_AS(mp::connection::wait({child}), mp::ValueError);
    child.start();
    const waitables all{a, child, b, child.sentinel(), handle};
    const std::vector<mp::detail::native_handle> handles{child.sentinel(), handle};
    CHECK(mp::connection::wait(all, 0s).empty());
    b_writer.send("text");
    CHECK(mp::connection::wait(all) == waitables{b});
    CHECK(mp::connection::wait({child, b}) == waitables{b});
    a_writer.send(1);
    CHECK(mp::connection::wait({child}) == waitables{child});
    support::say(pipe.writer, "x");
    CHECK(mp::connection::wait(all) == waitables{child, b, child.sentinel(), handle});
    CHECK(mp::connection::wait(handles) == handles);
    CHECK(mp::connection::wait(std::list<mp::Process>{child}).size() == 1);
    CHECK(child.join());
}

TEST_CASE("connection::wait: what is closed cannot be waited for") {
    auto [left, right] = mp::Pipe();
    [[maybe_unused]] const auto handle = right.fileno();
    right.close();
    CHECK_THROWS_AS(mp::connection::wait({left, right}), mp::ValueError);
#if defined(MULTIPROCESSING_POSIX)
    // POSIX only: Windows gives the number to the next object that is opened, whoever opens it.
    CHECK_THROWS_AS(mp::connection::wait({mp::connection::waitable(handle)}), std::system_error);
#endif
    CHECK_THROWS_AS(mp::connection::wait({mp::connection::waitable(mp::detail::no_handle)}),
                    std::system_error);
}

}  // namespace
