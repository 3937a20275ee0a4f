// SPDX-License-Identifier: MIT
// The function of a task on the wire, and what is wrapped around it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/first_use.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/os/throw_stack.hpp>
#include <multiprocessing/detail/registry.hpp>
#include <multiprocessing/detail/task.hpp>

namespace multiprocessing::detail {

/// Whether a callable is a function pointer, alone or in a wrapper of the library's.
template <class F>
constexpr bool is_plain_function = std::is_pointer_v<F>;
template <template <class> class Wrapper, class F>
constexpr bool is_plain_function<Wrapper<F>> = std::is_pointer_v<F>&& requires {
    typename Wrapper<F>::is_wrapper;
};

template <class Function>
requires std::is_pointer_v<Function> Function plain_function(Function function) noexcept {
    return function;
}
template <class Wrapper>
requires(!std::is_pointer_v<Wrapper>) auto plain_function(const Wrapper& wrapper) noexcept {
    return plain_function(wrapper.function);
}

/// The type of a function, without the library's wrappers.
template <class F>
struct function_name {
    static std::string text() { return "'" + type_name<F>() + "'"; }
};
template <template <class> class Wrapper, class F>
requires requires {
    typename Wrapper<F>::is_wrapper;
}
struct function_name<Wrapper<F>> : function_name<F> {};

/// A function that goes with many tasks: to bytes once, and from bytes only where they are others
/// than the last time. A function object is read anew for each task: it may change itself.
template <class F>
class task_function {
public:
    explicit task_function(F function) : function_(std::move(function)) {
        if constexpr (is_plain_function<F>)
            bytes_ = bytes_of(function_);
    }

    std::size_t bytes() const {
        return is_plain_function<F> ? sizeof(std::uint64_t) + bytes_->size()
                                    : encoded_size(function_);
    }
    std::byte* write(std::byte* place) const {
        if constexpr (is_plain_function<F>)
            return encode_to(place, *bytes_);
        else
            return encode_to(place, function_);
    }

    /// For people: the name it was registered with, else what its type or place in the program
    /// tells.
    std::string name() const {
        if constexpr (is_plain_function<F>) {
            const code_address code = address_of(plain_function(function_));
            const auto registered = registry::instance().name_of(code);
            if (!registered.empty())
                return "'" + std::string(registered) + "'";
            return function_name<F>::text() + " at " + describe_code(code);
        } else {
            return function_name<F>::text();
        }
    }

    static F read(decoder& in) {
        if constexpr (is_plain_function<F>)
            return read_pointer(in);
        else
            return in.read<F>();
    }

private:
    using shared_bytes = std::shared_ptr<const std::vector<std::byte>>;

    struct remembered {
        std::optional<F> function;
        shared_bytes bytes;
    };

    /// The same for all tasks of a function that follow each other: a million of them may wait.
    static shared_bytes bytes_of(const F& function) {
        static_assert(std::is_trivially_copyable_v<F>);
        static constinit first_use<remembered> of_all_threads;
        remembered& last = of_all_threads.get([] { return remembered(); });
        {
            const std::lock_guard lock(library_mutex());
            if (last.function && std::memcmp(&*last.function, &function, sizeof function) == 0)
                return last.bytes;
        }
        remembered now{function, std::make_shared<const std::vector<std::byte>>(encode(function))};
        const shared_bytes bytes = now.bytes;
        const std::lock_guard lock(library_mutex());
        std::swap(last, now);
        return bytes;
    }

    /// Finding a function takes longer than many a task: the last one is remembered, unless its name
    /// is very long. What a thread remembers is nothing that must be destroyed: some runtime
    /// libraries free the memory of a thread first, and destroy its objects then (MinGW).
    static F read_pointer(decoder& in) {
        constexpr std::size_t most_bytes = 128;
        thread_local std::byte last_bytes[most_bytes];
        thread_local std::size_t last_count = 0;
        thread_local std::optional<F> last;
        const std::size_t count = in.take_count<std::byte, 1>();
        const std::byte* const bytes = in.take<F>(count);
        if (count > most_bytes)
            return decode<F>({bytes, count});
        if (!last || last_count != count || std::memcmp(last_bytes, bytes, count) != 0) {
            last.emplace(decode<F>({bytes, count}));
            std::memcpy(last_bytes, bytes, count);
            last_count = count;
        }
        return *last;
    }

    F function_;
    shared_bytes bytes_;
};

/// The header of the tasks that `Thunk` runs.
template <auto Thunk>
task_header header_of() {
    static constinit first_use<image_place> known;
    const image_place& place =
        known.get([] { return place_of_thunk(thunk_entry<Thunk>::address()); });
    return {place.image, place.offset};
}

/// A function that returns nothing, for a map: each element then has a result that holds nothing.
template <class F>
struct without_result {
    using is_wrapper = void;
    F function;
    template <class T>
    requires callable_with<F, std::tuple<T>> std::monostate operator()(T& element) {
        std::tuple<T> argument(std::move(element));
        call_with(function, argument);
        return {};
    }
};

/// The arguments that an element holds: a tuple, a pair, or an array.
template <class... Ts>
std::tuple<Ts...>& held_arguments(std::tuple<Ts...>& element) noexcept {
    return element;
}
template <class A, class B>
std::tuple<A, B> held_arguments(std::pair<A, B>& element) {
    return std::tuple<A, B>(std::move(element));
}
template <class T, std::size_t Count>
auto held_arguments(std::array<T, Count>& element) {
    return std::apply([](auto&... values) { return std::tuple(std::move(values)...); }, element);
}
template <class Element>
using held_arguments_t = std::remove_cvref_t<decltype(held_arguments(std::declval<Element&>()))>;

/// A function of several arguments, for elements that hold them.
template <class F>
struct unpacked {
    using is_wrapper = void;
    F function;
    template <class Element>
    requires callable_with<F, held_arguments_t<Element>>
    decltype(auto) operator()(Element& element) {
        auto&& arguments = held_arguments(element);
        return call_with(function, arguments);
    }
};

}  // namespace multiprocessing::detail
