// SPDX-License-Identifier: MIT
// Locks, conditions and barriers between processes: the system's and Boost's.
#include "support/contender.hpp"
#include "support/peer_locks.hpp"
#include "support/raw.hpp"

#include <cstdint>

#include <benchmark/benchmark.h>

#include <signal.h>
#include <sys/wait.h>

namespace {

constexpr const char* boost = "Boost.Interprocess";

template <class Lock>
void uncontended(benchmark::State& state) {
    const bench::shared<Lock> lock;
    for (auto _ : state) {
        lock->lock();
        lock->unlock();
    }
    state.SetItemsProcessed(state.iterations());
}

/// Two processes over one lock, as many turns each as CPython's, from where both begin to
/// where both have ended.
template <class Lock>
void contended(benchmark::State& state) {
    constexpr int turns = 200'000;
    for (auto _ : state) {
        const bench::shared<Lock> lock;
        const bench::shared<bench::raw_barrier> meet;
        const auto take_turns = [&] {
            meet->wait();
            const auto start = bench::clock_type::now();
            for (int i = 0; i < turns; ++i) {
                lock->lock();
                lock->unlock();
            }
            meet->wait();
            return bench::seconds_since(start);
        };
        const ::pid_t other = bench::forked(take_turns);
        state.SetIterationTime(take_turns());
        bench::wait_for(other);
    }
    state.SetItemsProcessed(state.iterations() * 2 * turns);
}

/// The turn to the other process and back.
template <class Turns>
void hand_over(benchmark::State& state) {
    const bench::shared<Turns> turns;
    const ::pid_t other = bench::forked([&] {
        while (turns->pass(1)) {
        }
    });
    turns->pass(0);
    for (auto _ : state)
        turns->pass(0);
    turns->leave(0);
    bench::wait_for(other);
}

template <class Barrier>
void meet(benchmark::State& state) {
    const bench::shared<Barrier> barrier;
    const ::pid_t other = bench::forked([&] {
        for (;;)
            barrier->wait();
    });
    for (auto _ : state)
        barrier->wait();
    bench::require(::kill(other, SIGKILL) == 0 && ::waitpid(other, nullptr, 0) == other);
}

void add() {
    bench::contender("lock_uncontended", boost, uncontended<bench::boost_lock>);
    bench::contender("lock_uncontended", bench::limit, uncontended<bench::robust_lock>);
    bench::self_timed("lock_two_processes", boost, contended<bench::boost_lock>);
    bench::self_timed("lock_two_processes", bench::limit, contended<bench::robust_lock>);
    bench::contender("condition_hand_over", boost, hand_over<bench::boost_turns>);
    bench::contender("condition_hand_over", bench::limit, hand_over<bench::raw_turns>);
    bench::contender("barrier", bench::limit, meet<bench::raw_barrier>);
}

}  // namespace

int main(int argc, char** argv) {
    return bench::run_contenders(argc, argv, add);
}
