// SPDX-License-Identifier: MIT
// A function with its arguments, of any types, to be called in another process.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/registry.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

class erased_call {
public:
    virtual ~erased_call() = default;
    virtual void call() = 0;
    /// The thunk that reads what write() writes.
    virtual code_address reader() const = 0;
    virtual void size(sizer& sizes) const = 0;
    virtual void write(writer& out) const = 0;
};

using call_reader = std::shared_ptr<erased_call> (*)(decoder& in);

template <class F, class... Ts>
class typed_call final : public erased_call {
public:
    typed_call(F function, std::tuple<Ts...> arguments)
        : function_(std::move(function)), arguments_(std::move(arguments)) {}

    /// Also several times, by several threads, where the arguments can be copied.
    void call() override {
        if constexpr (std::is_copy_constructible_v<std::tuple<Ts...>>) {
            auto arguments = arguments_;
            call_with(function_, arguments);
        } else {
            call_with(function_, arguments_);
        }
    }

    code_address reader() const override {
        if constexpr (crosses)
            return thunk_entry<&typed_call::read>::address();
        else
            throw PicklingError("'" + first_unsendable<F, Ts...>() +
                                "' cannot cross to a process that is started by spawn");
    }
    void size(sizer& sizes) const override {
        if constexpr (crosses)
            size_value<F>(sizes, function_), size_value<std::tuple<Ts...>>(sizes, arguments_);
    }
    void write(writer& out) const override {
        if constexpr (crosses)
            write_value<F>(out, function_), write_value<std::tuple<Ts...>>(out, arguments_);
    }

private:
    static constexpr bool crosses = sendable<F> && (sendable<Ts> && ...);

    static std::shared_ptr<erased_call> read(decoder& in) {
        F function = in.read<F>();
        auto arguments = in.read<std::tuple<Ts...>>();
        return std::make_shared<typed_call>(std::move(function), std::move(arguments));
    }

    F function_;
    std::tuple<Ts...> arguments_;
};

/// Empty, or one of these.
class remote_call {
public:
    remote_call() noexcept = default;
    /// Throws `ValueError` for a pointer that is null.
    template <class F, class... Ts>
    requires callable_with<std::decay_t<F>, std::tuple<Ts...>>
    remote_call(F&& function, std::tuple<Ts...> arguments) {
        if constexpr (std::is_pointer_v<std::decay_t<F>>)
            require_function(function);
        call_ = std::make_shared<typed_call<std::decay_t<F>, Ts...>>(std::forward<F>(function),
                                                                     std::move(arguments));
    }
    template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, remote_call> &&
             callable_with<std::decay_t<F>, std::tuple<>>) remote_call(F&& function)
        : remote_call(std::forward<F>(function), std::tuple<>()) {}

    explicit operator bool() const noexcept { return call_ != nullptr; }
    void operator()() const { call_->call(); }

private:
    friend struct codec<remote_call>;

    template <class F>
    static void require_function(F* function) {
        if (function == nullptr)
            throw ValueError("an initializer must be a function, not a null pointer");
    }

    std::shared_ptr<erased_call> call_;
};

/// The place of the thunk that reads it, or zeros; then what that reads.
template <>
struct codec<remote_call> {
    static constexpr std::size_t min_bytes = 2 * sizeof(std::uint64_t);

    static void size(sizer& sizes, const remote_call& call) {
        sizes.add(min_bytes);
        if (call)
            call.call_->size(sizes);
    }
    static void write(writer& out, const remote_call& call) {
        const image_place place = call ? place_of_thunk(call.call_->reader()) : image_place{};
        out.put_value(std::uint64_t{place.image});
        out.put_value(std::uint64_t{place.offset});
        if (call)
            call.call_->write(out);
    }
    static remote_call read(decoder& in) {
        image_place place;
        place.image = in.take_value<std::uint64_t>();
        place.offset = in.take_value<std::uint64_t>();
        remote_call call;
        if (place.image == 0 && place.offset == 0)
            return call;
        const code_address reader = thunk_at(place);
        call.call_ = reinterpret_cast<call_reader>(const_cast<void*>(reader))(in);
        return call;
    }
};

}  // namespace multiprocessing::detail
