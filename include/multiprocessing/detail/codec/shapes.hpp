// SPDX-License-Identifier: MIT
// Which kind of value a type is. The standard's types are recognised by what they offer, not by
// name, so that their headers are needed only where they are used.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/codec/hooks.hpp>
#include <multiprocessing/detail/codec/members.hpp>
#include <multiprocessing/detail/codec/type_name.hpp>

namespace multiprocessing::detail {

template <class T>
constexpr bool is_template = false;
template <template <class...> class Template, class... Arguments>
constexpr bool is_template<Template<Arguments...>> = true;

// A class of the user's own that was derived from a standard one offers the same and holds more. It
// is no template as a rule, or it is an aggregate, so neither is taken for what it derives from.
template <class T>
concept vocabulary = is_template<T> && !std::is_aggregate_v<T>;

template <class T>
concept number =
    (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) || std::is_same_v<T, std::byte>;

// Function objects and lambdas without members, tags, std::monostate. What is not trivially
// copyable is empty but means something, such as a guard.
template <class T>
concept stateless = std::is_null_pointer_v<T> ||
                    (std::is_empty_v<T> && std::is_default_constructible_v<T> &&
                     std::is_trivially_copyable_v<T>);

template <class T>
concept tuple_like = requires { std::tuple_size<T>::value; };

template <class T>
concept std_array_like = tuple_like<T> && requires(T& value) {
    typename T::value_type;
    { value.data() } -> std::same_as<typename T::value_type*>;
    requires std::is_aggregate_v<T>;
};

template <class T>
concept path_like = requires(const T& value) {
    typename T::string_type;
    { value.lexically_normal() } -> std::same_as<T>;
    { value.native() } -> std::same_as<const typename T::string_type&>;
};

template <class T>
concept bitset_like = !std::is_aggregate_v<T> && requires(T& value, std::size_t index) {
    { value.set(index, true) } -> std::same_as<T&>;
    { value.test(index) } -> std::same_as<bool>;
    value.to_ullong();
    value.size();
};

template <class T>
concept optional_like = vocabulary<T> && requires(T& value) {
    { *value } -> std::same_as<typename T::value_type&>;
    { value.has_value() } -> std::same_as<bool>;
    value.reset();
};

template <class T>
concept variant_like = vocabulary<T> && requires(const T& value) {
    { value.index() } -> std::same_as<std::size_t>;
    { value.valueless_by_exception() } -> std::same_as<bool>;
};

template <class T>
concept duration_like = vocabulary<T> && requires(const T& value) {
    typename T::period;
    { value.count() } -> std::same_as<typename T::rep>;
};

template <class T>
concept time_point_like = vocabulary<T> && requires(const T& value) {
    typename T::clock;
    { value.time_since_epoch() } -> std::same_as<typename T::duration>;
};

template <class T>
concept complex_like = vocabulary<T> && requires(const T& value) {
    { value.real() } -> std::same_as<typename T::value_type>;
    { value.imag() } -> std::same_as<typename T::value_type>;
};

// A pointer that owns one object. The object is made anew over there, so
// it must be of the very type the pointer names, and a pointer that frees in its own way is not
// for us to fill.
template <class T>
concept pointer_to_one = vocabulary<T> && requires(const T& value) {
    { *value } -> std::same_as<typename T::element_type&>;
    { value.get() } -> std::same_as<typename T::element_type*>;
    requires !std::is_polymorphic_v<typename T::element_type> ||
                 std::is_final_v<typename T::element_type>;
};

template <class T>
concept unique_pointer = pointer_to_one<T> && requires(T& value) {
    { value.release() } -> std::same_as<typename T::element_type*>;
    requires spelling_of<typename T::deleter_type>().find("default_delete<") !=
                 std::string_view::npos;
};

template <class T>
concept shared_pointer = pointer_to_one<T> && requires(const T& value) {
    { value.use_count() } -> std::same_as<long>;
    requires !requires { value.lock(); };
};

template <class T>
concept owning_range = vocabulary<T> && requires(T& value) {
    typename T::value_type;
    typename T::allocator_type;
    value.begin();
    value.end();
    value.clear();
};

template <class T>
concept map_or_set = owning_range<T> && requires(T& value, typename T::value_type element) {
    typename T::key_type;
    value.emplace_hint(value.end(), std::move(element));
};

template <class T>
concept map_like = map_or_set<T> && requires { typename T::mapped_type; };

template <class T>
concept forward_list_like = owning_range<T> && requires(T& value) { value.before_begin(); };

template <class T>
concept packed_bools = owning_range<T> && std::is_same_v<typename T::value_type, bool> &&
                       requires(T& value) { value.flip(); };

template <class T>
concept sequence = owning_range<T> && requires(T& value, typename T::value_type element) {
    value.push_back(std::move(element));
};

// Only to be written: string_view and span.
template <class T>
concept view = requires(const T& value) {
    typename T::value_type;
    value.data();
    { value.size() } -> std::same_as<std::size_t>;
    value.begin();
} && (requires(T& value) { value.remove_prefix(1); } || requires(T& value) { value.subspan(0); });

template <class T>
concept adapter = vocabulary<T> && requires(T& value, typename T::value_type element) {
    typename T::container_type;
    value.push(std::move(element));
    value.pop();
    requires !requires { value.begin(); };
};

enum class shape {
    none,
    boolean,
    number,
    enumeration,
    stateless,
    std_array,
    tuple,
    path,
    bitset,
    optional,
    variant,
    duration,
    time_point,
    complex,
    unique_pointer,
    shared_pointer,
    map,
    set,
    forward_list,
    packed_bools,
    sequence,
    view,
    adapter,
    hooked,
    aggregate
};

template <class T>
constexpr shape classify_scalar() {
    if constexpr (std::is_same_v<T, bool>)
        return shape::boolean;
    else if constexpr (number<T>)
        return shape::number;
    else if constexpr (std::is_enum_v<T>)
        return shape::enumeration;
    else if constexpr (std::is_null_pointer_v<T>)
        return shape::stateless;
    else
        return shape::none;
}

template <class T>
constexpr shape classify_vocabulary() {
    if constexpr (optional_like<T>)
        return shape::optional;
    else if constexpr (variant_like<T>)
        return shape::variant;
    else if constexpr (duration_like<T>)
        return shape::duration;
    else if constexpr (time_point_like<T>)
        return shape::time_point;
    else if constexpr (complex_like<T>)
        return shape::complex;
    else if constexpr (unique_pointer<T>)
        return shape::unique_pointer;
    else if constexpr (shared_pointer<T>)
        return shape::shared_pointer;
    else if constexpr (adapter<T>)
        return shape::adapter;
    else
        return shape::none;
}

template <class T>
constexpr shape classify_range() {
    if constexpr (map_like<T>)
        return shape::map;
    else if constexpr (map_or_set<T>)
        return shape::set;
    else if constexpr (forward_list_like<T>)
        return shape::forward_list;
    else if constexpr (packed_bools<T>)
        return shape::packed_bools;
    else if constexpr (sequence<T>)
        return shape::sequence;
    else
        return shape::none;
}

// A hook comes before everything the type may look like.
template <class T>
constexpr shape classify_class() {
    if constexpr (hooked<T>)
        return shape::hooked;
    else if constexpr (stateless<T>)
        return shape::stateless;
    else if constexpr (std_array_like<T>)
        return shape::std_array;
    else if constexpr (tuple_like<T>)
        return shape::tuple;
    else if constexpr (path_like<T>)
        return shape::path;
    else if constexpr (bitset_like<T>)
        return shape::bitset;
    else if constexpr (view<T>)
        return shape::view;
    else if constexpr (owning_range<T>)
        return classify_range<T>();
    else if constexpr (vocabulary<T>)
        return classify_vocabulary<T>();
    else if constexpr (plain_aggregate<T>)
        return shape::aggregate;
    else
        return shape::none;
}

template <class T>
constexpr shape classify() {
    if constexpr (std::is_class_v<T>)
        return classify_class<T>();
    else
        return classify_scalar<T>();
}

template <class T>
inline constexpr shape shape_of = classify<T>();

// The very type: a class derived from it has constructors of its own.
template <class T>
concept standard_string = requires {
    requires std::is_same_v<T, std::basic_string<typename T::value_type, typename T::traits_type,
                                                 typename T::allocator_type>>;
};

/// Whether no constructor takes a deferred value for something else than what it becomes. Of a
/// class in general one cannot know.
template <class T>
concept made_by_conversion =
    std::is_scalar_v<T> || shape_of<T> == shape::aggregate || standard_string<T>;

}  // namespace multiprocessing::detail
