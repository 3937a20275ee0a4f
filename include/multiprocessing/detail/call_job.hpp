// SPDX-License-Identifier: MIT
// One call of a function, as a job of a pool.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/call_arguments.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/task_function.hpp>

namespace multiprocessing::detail {

/// One call: `f(arguments...)`.
template <class F, class... Ts>
class call_job final : public result_job<std::decay_t<call_result_t<F, arriving<F, Ts...>>>> {
public:
    /// The destructor of a user's value may not throw here: nobody could be told.
    ~call_job() noexcept override = default;
    using R = std::decay_t<call_result_t<F, arriving<F, Ts...>>>;

    call_job(F function, std::tuple<Ts...> arguments)
        : result_job<R>(1), function_(std::move(function)), arguments_(std::move(arguments)) {}

    task_header header() const override { return header_of<&call_job::run>(); }
    std::size_t argument_bytes(std::size_t) const override {
        return function_.bytes() + arguments_size(arguments_);
    }
    void write_arguments(std::size_t, std::byte* place) const override {
        write_arguments_to(function_.write(place), arguments_);
    }
    void take_value(std::size_t, decoder& value) override {
        result_.read(value);
        value.finish();
    }
    bool ends_quietly() const noexcept override {
        return detail::ends_quietly<std::tuple<F, R, Ts...>>;
    }
    std::string name() const override { return function_.name(); }

    R get() override {
        this->throw_if_failed();
        if constexpr (std::is_void_v<R>)
            return;
        else if constexpr (copyable<R>)
            return result_.copy();
        else
            return this->once(), result_.take();
    }
    R take() override {
        this->throw_if_failed();
        return result_.take();
    }

private:
    void pass_result(const callback<R>& to) override { result_.pass(to); }

    static void run(decoder& in, reply_writer& reply) {
        F function = task_function<F>::read(in);
        auto arguments = read_arguments<Ts...>(in, std::type_identity<arriving<F, Ts...>>());
        in.finish();
        if constexpr (std::is_void_v<R>) {
            call_with(function, arguments);
            reply.put();
        } else {
            reply.put(R(call_with(function, arguments)));
        }
    }

    task_function<F> function_;
    std::tuple<Ts...> arguments_;
    result_slot<R> result_;
};

/// The job of a call. What cannot cross does not compile.
template <class F, class... Ts>
struct job_of_call {
    using Function = std::decay_t<F>;
    static_assert(callable_with<Function, arriving<Function, Ts...>>,
                  "the function cannot be called with these arguments");
    static constexpr bool check() {
        assert_sendable<Function>();
        (assert_argument<Ts>(), ...);
        using R = std::decay_t<call_result_t<Function, arriving<Function, Ts...>>>;
        if constexpr (!std::is_void_v<R>)
            assert_sendable<R>();
        return true;
    }
    static_assert(check());
    using type = call_job<Function, Ts...>;
};
template <class F, class... Ts>
using call_job_of = typename job_of_call<F, Ts...>::type;

template <class F, class... Ts>
auto make_call_job(F&& function, std::tuple<Ts...> arguments) {
    return std::make_shared<call_job_of<F, Ts...>>(std::forward<F>(function), std::move(arguments));
}

}  // namespace multiprocessing::detail
