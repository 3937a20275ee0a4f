// SPDX-License-Identifier: MIT
// How many members an aggregate has, and of which types.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec/bindings.hpp>
#include <multiprocessing/detail/codec/type_list.hpp>

namespace multiprocessing::detail {

template <class T>
struct any_base_of {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const;
};

template <class T>
struct empty_base_of {
    template <class Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T> && std::is_empty_v<Base>)
    operator Base() const;
};

// Bases come first among the initialisers of an aggregate.
template <class T>
concept has_base = requires { T{any_base_of<T>{}}; };

// One base without members, such as a tag or an interface of helpers, hides nothing.
template <class T>
concept has_plain_base = requires { T{empty_base_of<T>{}}; } &&
                         !requires { T{any_base_of<T>{}, any_base_of<T>{}}; };

// The plain case: every member can be written as {}, arrays and optionals too, so the most braces
// that fit are the members. Nothing converts, so nothing is ambiguous.
template <class T, std::size_t Count = 1>
constexpr std::size_t count_braces() {
    if constexpr (Count > max_members)
        return max_members;
    else if constexpr (!member_access<Count>::template takes<T>)
        return Count - 1;
    else
        return count_braces<T, Count + 1>();
}

// Whether those braces were all members, not all up to the first that has no default.
template <class T, std::size_t Count>
constexpr bool ends_with_braces() {
    if constexpr (Count == 0)
        return !requires { T{any_value{}}; };
    else
        return !member_access<Count>::template takes_then_any<T>;
}

template <std::size_t>
using any_at = any_value;

template <class T, std::size_t... Before, std::size_t... Nested, std::size_t... After>
constexpr bool takes_nested(std::index_sequence<Before...>, std::index_sequence<Nested...>,
                            std::index_sequence<After...>) {
    return requires { T{any_at<Before>{}..., {any_at<Nested>{}...}, any_at<After>{}...}; };
}

template <class T, std::size_t... Any>
constexpr bool takes_any(std::index_sequence<Any...>) {
    return requires { T{any_at<Any>{}...}; };
}

// The other case: some member has no default. An array would take a value for each of its elements
// and spoil the count; array_at() finds it.
template <class T, std::size_t Count = max_members + 1>
constexpr std::size_t count_values() {
    if constexpr (Count == 0 || takes_any<T>(std::make_index_sequence<Count>{}))
        return Count;
    else
        return count_values<T, Count - 1>();
}

/// Whether the member after `Before` others takes exactly `Length` of the initialisers.
template <class T, std::size_t Total, std::size_t Before, std::size_t Length>
constexpr bool array_at() {
    constexpr std::size_t after = Total - Before - Length;
    using before = std::make_index_sequence<Before>;
    using nested = std::make_index_sequence<Length>;
    return takes_nested<T>(before{}, nested{}, std::make_index_sequence<after>{}) &&
           !takes_nested<T>(before{}, nested{}, std::make_index_sequence<after + 1>{});
}

template <class T, std::size_t Total, std::size_t Before, std::size_t... Lengths>
constexpr bool any_array_at(std::index_sequence<Lengths...>) {
    // What {} stands for alone is one member, no array; that spares most of the search.
    if constexpr (takes_nested<T>(std::make_index_sequence<Before>{}, std::index_sequence<>{},
                                  std::make_index_sequence<Total - Before - 1>{}))
        return false;
    else
        return (array_at<T, Total, Before, Lengths + 2>() || ...);
}

template <class T, std::size_t Total, std::size_t... Befores>
constexpr bool has_array(std::index_sequence<Befores...>) {
    return (any_array_at<T, Total, Befores>(std::make_index_sequence<Total - Befores - 1>{}) ||
            ...);
}

template <class T>
constexpr std::size_t count_without_arrays() {
    constexpr std::size_t values = count_values<T>();
    if constexpr (values > max_members)
        return values;
    else if constexpr (has_array<T, values>(std::make_index_sequence<values>{}))
        return 0;
    else
        return values;
}

template <class T>
constexpr std::size_t count_members() {
    constexpr std::size_t braces = count_braces<T>();
    if constexpr (requires { T{}; } && ends_with_braces<T, braces>())
        return braces;
    else
        return count_without_arrays<T>();
}

template <class T>
inline constexpr std::size_t member_count = count_members<T>() - (has_base<T> ? 1 : 0);

/// Calls `visitor` with every member of `object` in their order.
template <class T, class Visitor>
constexpr decltype(auto) visit_members(T& object, Visitor&& visitor) {
    return member_access<member_count<std::remove_const_t<T>>>::visit(object, visitor);
}

/// An aggregate the codec can take apart. With a base that has members its own would not be all of
/// it; a member that cannot be assigned (a reference, a constant) could not be read, or would
/// dangle.
template <class T>
concept plain_aggregate =
    std::is_class_v<T> && std::is_aggregate_v<T> && (!has_base<T> || has_plain_base<T>) &&
    std::is_move_assignable_v<T> && member_count<T> > 0 && member_count<T> <= max_members;

struct list_types {
    template <class... Members>
    constexpr type_list<Members...> operator()(Members&...) const {
        return {};
    }
};

template <class T>
using members_of = decltype(visit_members(std::declval<T&>(), list_types{}));

}  // namespace multiprocessing::detail
