// SPDX-License-Identifier: MIT
#include <multiprocessing/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// An element that tells of its end.
class told_at_end {
public:
    explicit told_at_end(std::promise<void>& ended) : ended_(ended) {}
    told_at_end(const told_at_end&) = delete;
    told_at_end& operator=(const told_at_end&) = delete;
    ~told_at_end() { ended_.set_value(); }

private:
    std::promise<void>& ended_;
};

/// Reads what there is, then the error, which comes once.
std::vector<int> read_to_error(mp::IMapIterator<int>& stream) {
    std::vector<int> results;
    try {
        while (const auto result = stream.next())
            results.push_back(*result);
        FAIL("the stream ended without an error");
    } catch (const mp::ProcessError&) {
    }
    CHECK_FALSE(stream.next());
    CHECK_FALSE(stream.next());
    return results;
}

}  // namespace

// All eight were called, after the iterator and what the function refers to had gone.
TEST_CASE("thread pool: letting go of a stream gives up the rest and waits for what runs") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> begun;
    std::promise<void> given_up[8];
    std::atomic<int> calls{0};
    std::atomic<int> inside{0};
    mp::ThreadPool pool(1);
    const auto call = [&](const std::shared_ptr<told_at_end>&) {
        ++inside;
        if (++calls == 1) {
            begun.set_value();
            given_up[7].get_future().wait();
        }
        --inside;
    };
    {
        const auto make = [&](int i) { return std::make_shared<told_at_end>(given_up[i]); };
        const auto stream = pool.imap(call, std::views::iota(0, 8) | std::views::transform(make));
        begun.get_future().wait();
    }
    CHECK(inside == 0);
    pool.close();
    pool.join();
    CHECK(calls == 1);
}

TEST_CASE("thread pool: a function may let go of the stream that it is called by") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> made;
    std::promise<void> gone;
    std::atomic<int> calls{0};
    std::optional<mp::IMapIterator<int>> stream;
    mp::ThreadPool pool(1);
    stream.emplace(pool.imap(
        [&](int x) {
            ++calls;
            made.get_future().wait();
            stream.reset();
            gone.set_value();
            return x;
        },
        std::views::iota(0)));
    made.set_value();
    gone.get_future().wait();
    pool.close();
    pool.join();
    CHECK(calls == 1);
}

// Over an endless range the error came for ever.
TEST_CASE("thread pool: a stream of a terminated pool gives what is done, one error, its end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    const bool ordered = GENERATE(true, false);
    std::promise<void> begun;
    std::promise<void> gate;
    mp::ThreadPool pool(1);
    const auto call = [&](int x) {
        if (x == 2) {
            begun.set_value();
            gate.get_future().wait();
        }
        return x;
    };
    auto stream = ordered ? pool.imap(call, std::views::iota(0), {.buffersize = 10})
                          : pool.imap_unordered(call, std::views::iota(0), {.buffersize = 10});
    CHECK(stream.next() == 0);
    CHECK(stream.next() == 1);
    begun.get_future().wait();
    pool.terminate();
    CHECK_THROWS_AS(stream.next(std::chrono::seconds(0)), mp::TimeoutError);
    gate.set_value();
    CHECK(read_to_error(stream) == std::vector<int>{2});
}

TEST_CASE("thread pool: a stream of a joined pool gives what is done, one error, its end") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2);
    auto stream = pool.imap(square, std::views::iota(0), {.buffersize = 4});
    CHECK(stream.next() == 0);
    pool.close();
    pool.join();
    const auto rest = read_to_error(stream);
    for (std::size_t i = 0; i < rest.size(); ++i)
        CHECK(rest[i] == square(static_cast<int>(i + 1)));
}

TEST_CASE("thread pool: a stream ends where no thread could be set up") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::ThreadPool pool(2, {.initializer = [] { throw std::runtime_error("not today"); }});
    auto stream = pool.imap(square, std::views::iota(0));
    CHECK_THROWS_AS(stream.next(), mp::InitializerError);
    CHECK_FALSE(stream.next());
}

TEST_CASE("thread pool: the time for the next result passes while the range goes on") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> gate;
    const auto opened = gate.get_future().share();
    mp::ThreadPool pool(1);
    const auto endless = std::views::iota(0) | std::views::transform([](int x) {
                             std::this_thread::sleep_for(std::chrono::milliseconds(1));
                             return x;
                         });
    const auto pass = [&](int x) {
        opened.wait();
        return x;
    };
    auto results = pool.imap(pass, endless, {.buffersize = 1'000'000});
    CHECK_THROWS_AS(results.next(std::chrono::milliseconds(20)), mp::TimeoutError);
    gate.set_value();
    CHECK(results.next() == 0);
    CHECK(results.next() == 1);
}
