// SPDX-License-Identifier: MIT
// Letting go of what hears of several futures, where the executor cannot be told.
#include <multiprocessing/futures.hpp>

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpf = multiprocessing::futures;

namespace {

int never_return() {
    support::run_for_ever();
}

std::function<void()> while_written;

/// While it is written, the executor's lock is held.
struct hooked {
    int value = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(value);
        if (const auto hook = std::exchange(while_written, nullptr))
            hook();
    }
};

int value_of(const hooked& argument) {
    return argument.value;
}

auto watch(const mpf::Future<int>& future) {
    return std::make_unique<mpf::CompletedFutures<int>>(
        mpf::as_completed(std::vector<mpf::Future<int>>{future}));
}

}  // namespace

// It could not: the call was refused with an exception, which a destructor let out.
TEST_CASE("futures: as_completed may be let go of while an argument is written") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto stuck = executor.submit(never_return);
    auto completed = watch(stuck);
    while_written = [&] { completed.reset(); };
    CHECK(executor.submit(value_of, hooked{3}).result() == 3);
    CHECK(completed == nullptr);
    stuck.terminate();
}

#if defined(MULTIPROCESSING_POSIX)  // Windows has no fork.
// The child waited for a lock that a thread of its parent held.
TEST_CASE("futures: a copy of the process lets go of as_completed without the executor's lock") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mpf::ProcessPoolExecutor executor(2, {.start_method = EVERY_START_METHOD});
    const auto stuck = executor.submit(never_return);
    auto completed = watch(stuck);
    std::promise<void> locked;
    std::promise<void> unlock;
    while_written = [&] {
        locked.set_value();
        unlock.get_future().wait();
    };
    std::thread writer([&] { executor.submit(value_of, hooked{3}); });
    locked.get_future().wait();
    const int child = mp::os::fork();
    if (child == 0) {
        completed.reset();
        mp::os::_exit(7);
    }
    const auto end = mp::os::waitpid(child);
    unlock.set_value();
    writer.join();
    CHECK(mp::os::waitstatus_to_exitcode(end.status) == 7);
    stuck.terminate();
}
#endif
