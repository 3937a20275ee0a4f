// SPDX-License-Identifier: MIT
// A function and its arguments as the work of a child, run in place or sent to a fresh program.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/bootstrap.hpp>
#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/process_state.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>
#include <multiprocessing/spawn.hpp>

namespace multiprocessing::detail {

template <class F, class... Ts>
class call_target : public process_target {
public:
    call_target(F function, std::tuple<Ts...> arguments)
        : function_(std::move(function)), arguments_(std::move(arguments)) {}

    void run() override { call_with(function_, arguments_); }

    void spawn(child_process& child, const process_identity& identity, bool tied) override {
        if constexpr (sendable<F> && (sendable<Ts> && ...)) {
            const handle_outbox outbox;
            const auto payload = encode(identity, function_, arguments_);
            detail::spawn(child, thunk_entry<&call_target::run_spawned>::address(), payload,
                          outbox.handles(), tied);
        } else {
            throw PicklingError("cannot start process '" + identity.name + "' by spawn: '" +
                                first_unsendable<F, Ts...>() +
                                "' cannot cross to another process; give the type a "
                                "serialize(Archive&) member" +
                                (child_process::can_fork ? ", or start by fork" : ""));
        }
    }

private:
    static int run_spawned(decoder& job) {
        auto identity = job.read<process_identity>();
        return run_child_process(std::move(identity), [&] {
            auto function = job.read<F>();
            auto arguments = job.read<std::tuple<Ts...>>();
            job.finish();
            call_with(function, arguments);
        });
    }

    F function_;
    std::tuple<Ts...> arguments_;
};

template <class F, class... Ts>
std::unique_ptr<process_target> make_target(F&& function, std::tuple<Ts...> arguments) {
    return std::make_unique<call_target<std::decay_t<F>, Ts...>>(std::forward<F>(function),
                                                                 std::move(arguments));
}

}  // namespace multiprocessing::detail
