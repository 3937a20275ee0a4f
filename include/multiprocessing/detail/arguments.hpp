// SPDX-License-Identifier: MIT
// The arguments of a call that happens elsewhere, and the call itself.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec.hpp>

namespace multiprocessing {

namespace detail {

template <class T>
concept borrowed_text =
    std::same_as<T, std::string_view> || std::same_as<T, const char*> || std::same_as<T, char*>;

/// Text that points into this process becomes a string of its own.
template <class T>
using argument_t = std::conditional_t<borrowed_text<std::decay_t<T>>, std::string, std::decay_t<T>>;

template <class F, class Tuple, class = void>
struct call_traits {
    static constexpr bool callable = false;
};

template <class F, class... Ts>
struct call_traits<
    F, std::tuple<Ts...>,
    std::enable_if_t<std::is_invocable_v<F&, Ts...> || std::is_invocable_v<F&, Ts&...>>> {
    static constexpr bool callable = true;
    static constexpr bool takes_values = std::is_invocable_v<F&, Ts...>;
    using result = typename std::conditional_t<takes_values, std::invoke_result<F&, Ts...>,
                                               std::invoke_result<F&, Ts&...>>::type;
};

template <class F, class Tuple>
concept callable_with = call_traits<F, Tuple>::callable;

template <class F, class Tuple>
using call_result_t = typename call_traits<F, Tuple>::result;

/// Calls `f` with the arguments, which are given away; to a parameter that is a reference they are
/// lent instead.
template <class F, class... Ts>
decltype(auto) call_with(F& f, std::tuple<Ts...>& arguments) {
    if constexpr (call_traits<F, std::tuple<Ts...>>::takes_values)
        return std::apply(f, std::move(arguments));
    else
        return std::apply(f, arguments);
}

template <class T>
inline constexpr bool is_tuple_type = false;
template <class... Ts>
inline constexpr bool is_tuple_type<std::tuple<Ts...>> = true;
template <class T>
concept is_tuple = is_tuple_type<std::remove_cvref_t<T>>;

/// Does not compile: says how it is meant.
template <class T>
constexpr void refuse_bare_arguments() {
    static_assert(is_tuple<T>, "put the arguments of the function into multiprocessing::args(...), "
                               "as one: apply(f, args(1, 2.5))");
}

/// The name of the first type among these that cannot cross; empty if all can.
template <class... Ts>
std::string first_unsendable() {
    std::string name;
    ((name.empty() && !sendable<Ts> ? void(name = type_name<Ts>()) : void()), ...);
    return name;
}

}  // namespace detail

/// The arguments of a function that another process will call: copies of what is given. String
/// literals and `string_view`s become `std::string`, so nothing points into this process. What must
/// not be copied can be moved in. A `std::span` alone refers to its elements. It crosses to a
/// pool's workers, where the function reads them in the shared memory, copied once, until it
/// returns; here they must stay until the call is done. Threads and forked processes have the span
/// itself; spawned ones refuse it. Python: the tuple `args=(...)`.
template <class... Ts>
std::tuple<detail::argument_t<Ts>...> args(Ts&&... values) {
    return std::tuple<detail::argument_t<Ts>...>(std::forward<Ts>(values)...);
}

}  // namespace multiprocessing
