// SPDX-License-Identifier: MIT
#include <multiprocessing/thread_pool.hpp>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace {

int square(int x) {
    return x * x;
}

/// A thing of the user's whose destructor uses the pool that it was given to.
class user_of_pool {
public:
    user_of_pool(mp::ThreadPool& pool, std::promise<void>& used) : pool_(pool), used_(used) {}
    user_of_pool(const user_of_pool&) = delete;
    user_of_pool& operator=(const user_of_pool&) = delete;
    ~user_of_pool() {
        pool_.apply_async(square, mp::args(1));
        used_.set_value();
    }

private:
    mp::ThreadPool& pool_;
    std::promise<void>& used_;
};

struct own_error {
    std::shared_ptr<user_of_pool> carried;
};

}  // namespace

// It was destroyed with the lock held that it asked for.
TEST_CASE("thread pool: what goes with a callback may use the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> gate;
    std::promise<void> used;
    mp::ThreadPool pool(1);
    {
        const auto carried = std::make_shared<user_of_pool>(pool, used);
        pool.apply_async([carried](int x) { return x; }, mp::args(1),
                         {.callback = [&](int) { gate.get_future().wait(); }});
    }
    CHECK(pool.apply(square, mp::args(2)) == 4);  // By now only the callback has the job.
    gate.set_value();
    used.get_future().wait();
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

// The second error was destroyed with the lock held.
TEST_CASE("thread pool: an error that nobody is told of may use the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> used[2];
    mp::ThreadPool pool(1);
    const auto fail = [&](int x) -> int {
        throw own_error{std::make_shared<user_of_pool>(pool, used[x])};
    };
    CHECK_THROWS_AS(pool.map(fail, std::vector<int>{0, 1}, {.chunksize = 1}), own_error);
    for (auto& one : used)
        one.get_future().wait();
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

TEST_CASE("thread pool: what goes with a task may use the pool") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    std::promise<void> used;
    mp::ThreadPool pool(1);
    pool.apply_async([carried = std::make_shared<user_of_pool>(pool, used)] {});
    used.get_future().wait();
    CHECK(pool.apply(square, mp::args(3)) == 9);
}

// The calls went on with what was in the pool's object.
TEST_CASE("thread pool: a task may let go of the pool that others wait in") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    for (const bool many : {true, false}) {
        auto pool = std::make_unique<mp::ThreadPool>(2);
        std::atomic<int> number{0};
        const auto let_go = [&](int x) {
            if (number++ == 0)
                pool.reset();
            return x;
        };
        mp::ThreadPool& here = *pool;
        try {
            if (many)
                here.map(let_go, std::vector<int>(20'000, 1), {.chunksize = 1});
            else
                CHECK(here.apply(let_go, mp::args(1)) == 1);
        } catch (const mp::ProcessError&) {  // What had not begun.
        }
        CHECK(number > 0);
    }
}
