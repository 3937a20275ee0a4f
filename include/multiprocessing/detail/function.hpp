// SPDX-License-Identifier: MIT
// Any callable of a signature, as std::function holds one, without <functional>: see algorithm.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace multiprocessing::detail {

template <class Signature>
class function;

/// Empty, or a callable that its copies share. Calling an empty one is a mistake of the caller's.
template <class R, class... Args>
class function<R(Args...)> {
public:
    function() noexcept = default;
    function(std::nullptr_t) noexcept {}
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, function> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Args...>) function(F&& callable) {
        // A pointer, or a holder of another kind, that is empty makes this one empty.
        if constexpr (!std::is_function_v<std::remove_reference_t<F>> && is_comparable<F>) {
            if (callable == nullptr)
                return;
        }
        held_ = std::make_shared<held<std::decay_t<F>>>(std::forward<F>(callable));
    }

    explicit operator bool() const noexcept { return held_ != nullptr; }
    R operator()(Args... arguments) const { return held_->call(std::forward<Args>(arguments)...); }

private:
    /// With null, to a truth value: some callables make another of whatever is compared with them.
    template <class F>
    static constexpr bool is_comparable = requires(F& callable) {
        { callable == nullptr } -> std::same_as<bool>;
    };

    struct any {
        virtual ~any() = default;
        virtual R call(Args... arguments) = 0;
    };
    template <class F>
    struct held : any {
        explicit held(F callable) : callable_(std::move(callable)) {}
        R call(Args... arguments) override {
            // By std::apply, which knows how pointers to members are called.
            return static_cast<R>(
                std::apply(callable_, std::tuple<Args&&...>(std::forward<Args>(arguments)...)));
        }
        F callable_;
    };

    std::shared_ptr<any> held_;
};

}  // namespace multiprocessing::detail
