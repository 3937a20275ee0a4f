// SPDX-License-Identifier: MIT
// What a pool's calls become: one call of a function, or a function over a range in chunks.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// A function that goes with many tasks: to bytes once, and from bytes only where they are others
/// than the last time. A function object is read anew for each task: it may change itself.
template <class F>
class task_function {
public:
    explicit task_function(F function) : function_(std::move(function)) {
        if constexpr (std::is_pointer_v<F>)
            bytes_ = encode(function_);
    }

    std::size_t bytes() const {
        return std::is_pointer_v<F> ? sizeof(std::uint64_t) + bytes_.size()
                                    : encoded_size(function_);
    }
    std::byte* write(std::byte* place) const {
        if constexpr (std::is_pointer_v<F>)
            return encode_to(place, bytes_);
        else
            return encode_to(place, function_);
    }

    static F read(decoder& in) {
        if constexpr (std::is_pointer_v<F>)
            return read_pointer(in);
        else
            return in.read<F>();
    }

private:
    /// Finding a function takes longer than many a task: the last one is remembered, unless its name
    /// is very long. What a thread remembers is nothing that must be destroyed: some runtime
    /// libraries free the memory of a thread first, and destroy its objects then (MinGW).
    static F read_pointer(decoder& in) {
        constexpr std::size_t most_bytes = 128;
        thread_local std::byte last_bytes[most_bytes];
        thread_local std::size_t last_count = 0;
        thread_local F last = nullptr;
        const std::size_t count = in.take_count<std::byte, 1>();
        const std::byte* const bytes = in.take<F>(count);
        if (count > most_bytes)
            return decode<F>({bytes, count});
        if (last == nullptr || last_count != count || std::memcmp(last_bytes, bytes, count) != 0) {
            last = decode<F>({bytes, count});
            std::memcpy(last_bytes, bytes, count);
            last_count = count;
        }
        return last;
    }

    F function_;
    std::vector<std::byte> bytes_;
};

/// The header of the tasks that `Thunk` runs.
template <auto Thunk>
task_header header_of() {
    static const image_place place = place_of_thunk(thunk_entry<Thunk>::address());
    return {place.image, place.offset};
}

/// Whether a value can be copied. A container says so whatever its elements say.
template <class T>
constexpr bool copyable = std::is_copy_constructible_v<T>;
template <class T>
requires requires {
    typename T::value_type;
} &&(!std::is_same_v<typename T::value_type, T>)constexpr bool copyable<T> =
    std::is_copy_constructible_v<T> && copyable<typename T::value_type>;

/// Whether destroying a value runs no code of the user's.
template <class T>
constexpr bool ends_quietly = std::is_void_v<T> || std::is_trivially_destructible_v<T>;
template <>
inline constexpr bool ends_quietly<std::string> = true;
template <class T>
constexpr bool ends_quietly<std::vector<T>> = ends_quietly<T>;
template <class T>
constexpr bool ends_quietly<std::optional<T>> = ends_quietly<T>;
template <class... Ts>
constexpr bool ends_quietly<std::tuple<Ts...>> = (ends_quietly<Ts> && ...);
template <class A, class B>
constexpr bool ends_quietly<std::pair<A, B>> = ends_quietly<A>&& ends_quietly<B>;

/// A place for one result, or for the fact that there was one.
template <class R>
struct result_slot {
    std::optional<R> value;
    void read(decoder& in) { value.emplace(in.read<R>()); }
    R take() { return std::move(*value); }
    R copy() const requires copyable<R> { return *value; }
};
template <>
struct result_slot<void> {
    void read(decoder&) {}
    void take() {}
    void copy() const {}
};

/// A job whose result can be had.
template <class R>
class result_job : public job {
public:
    using result = R;
    using job::job;

    /// The result, or throws the error. After done() only. The first way copies what can be copied;
    /// the rest it gives away as the second does, and throws `ValueError` when asked again.
    virtual R get() = 0;
    virtual R take() = 0;
    bool failed() const noexcept { return error_ != nullptr; }

    void take_error(std::size_t, std::exception_ptr error) noexcept override {
        if (!error_)
            error_ = std::move(error);
    }

protected:
    void throw_if_failed() const {
        if (error_)
            std::rethrow_exception(error_);
    }
    void once() {
        if (given_away_.exchange(true))
            throw ValueError("this result cannot be copied and has been given away");
    }

private:
    std::exception_ptr error_;
    std::atomic<bool> given_away_{false};
};

/// One call: `f(arguments...)`.
template <class F, class... Ts>
class call_job final : public result_job<std::decay_t<call_result_t<F, std::tuple<Ts...>>>> {
public:
    using R = std::decay_t<call_result_t<F, std::tuple<Ts...>>>;

    call_job(F function, std::tuple<Ts...> arguments)
        : result_job<R>(1), function_(std::move(function)), arguments_(std::move(arguments)) {}

    task_header header() const override { return header_of<&call_job::run>(); }
    std::size_t argument_bytes(std::size_t) const override {
        return function_.bytes() + encoded_size(arguments_);
    }
    void write_arguments(std::size_t, std::byte* place) const override {
        encode_to(function_.write(place), arguments_);
    }
    void take_value(std::size_t, decoder& value) override {
        result_.read(value);
        value.finish();
    }
    bool ends_quietly() const noexcept override {
        return detail::ends_quietly<std::tuple<F, R, Ts...>>;
    }
    std::string name() const override { return "'" + type_name<F>() + "'"; }

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
    static void run(decoder& in, reply_writer& reply) {
        F function = task_function<F>::read(in);
        auto arguments = in.read<std::tuple<Ts...>>();
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

/// A function that returns nothing, for a map: each element then has a result that holds nothing.
template <class F>
struct without_result {
    F function;
    template <class T>
    requires callable_with<F, std::tuple<T>> std::monostate operator()(T& element) {
        std::tuple<T> argument(std::move(element));
        call_with(function, argument);
        return {};
    }
};

/// What an element of a range is copied to: a vector of bool has none that could be referred to,
/// and the key in a map's element is const.
template <class T>
struct kept_element {
    using type = T;
};
template <>
struct kept_element<bool> {
    using type = char;
};
template <class Key, class Value>
struct kept_element<std::pair<const Key, Value>> {
    using type = std::pair<Key, Value>;
};
template <class T>
using kept_element_t = typename kept_element<T>::type;

/// The elements of a range, to be had by their place: the range itself where it allows that.
template <class Range>
class indexed_elements {
public:
    using element = std::ranges::range_value_t<Range>;
    static constexpr bool contiguous =
        std::ranges::contiguous_range<const Range> && std::ranges::sized_range<const Range>;

    explicit indexed_elements(Range range) : range_(std::move(range)) {}

    std::size_t size() const { return static_cast<std::size_t>(std::ranges::size(range_)); }
    decltype(auto) operator[](std::size_t place) const {
        return std::ranges::begin(
            range_)[static_cast<std::ranges::range_difference_t<Range>>(place)];
    }
    const element* data() const requires contiguous { return std::ranges::data(range_); }

private:
    Range range_;
};

template <class Range>
constexpr bool ends_quietly<indexed_elements<Range>> = ends_quietly<Range>;

/// `f` of each element of a range, a chunk a task. `Elements` as above; R is not void.
template <class F, class Elements>
class map_job final
    : public result_job<
          std::vector<std::decay_t<call_result_t<F, std::tuple<typename Elements::element>>>>> {
public:
    using T = typename Elements::element;
    using value = std::decay_t<call_result_t<F, std::tuple<T>>>;
    using R = std::vector<value>;

    map_job(F function, Elements elements, std::size_t chunk)
        : result_job<R>((elements.size() + chunk - 1) / chunk), function_(std::move(function)),
          elements_(std::move(elements)), chunk_(chunk), results_(elements_.size()) {}

    task_header header() const override { return header_of<&map_job::run>(); }

    std::size_t argument_bytes(std::size_t task) const override {
        const auto [first, count] = part(task);
        sizer sizes;
        sizes.add(count_bytes);
        if constexpr (as_block<T>) {
            sizes.add(count * sizeof(T));
        } else {
            for (std::size_t i = first; i < first + count; ++i)
                size_value<T>(sizes, elements_[i]);
        }
        return function_.bytes() + sizes.bytes();
    }

    void write_arguments(std::size_t task, std::byte* place) const override {
        const auto [first, count] = part(task);
        writer out(function_.write(place));
        out.put_count(count);
        if constexpr (as_block<T>) {
            out.put(elements_.data() + first, count * sizeof(T));
        } else {
            for (std::size_t i = first; i < first + count; ++i)
                write_value<T>(out, elements_[i]);
        }
    }

    void take_value(std::size_t task, decoder& in) override {
        const auto [first, count] = part(task);
        if constexpr (is_bulk<value>) {
            const std::byte* const bytes = in.template take<value>(count * sizeof(value));
            std::memcpy(results_.data() + first, bytes, count * sizeof(value));
        } else {
            for (std::size_t i = first; i < first + count; ++i)
                results_[i].emplace(in.template read<value>());
        }
        in.finish();
    }

    bool ends_quietly() const noexcept override {
        return detail::ends_quietly<std::tuple<F, Elements, value>>;
    }
    std::string name() const override { return "'" + type_name<F>() + "' over a range"; }

    R get() override {
        this->throw_if_failed();
        if constexpr (copyable<value>)
            return collect(results_);
        else
            return this->once(), collect(std::move(results_));
    }
    R take() override {
        this->throw_if_failed();
        return collect(std::move(results_));
    }

private:
    // What crosses as a block of bytes is copied as one; the rest, which may have no default, waits
    // in optionals.
    using results =
        std::conditional_t<is_bulk<value>, std::vector<value>, std::vector<std::optional<value>>>;
    template <class X>
    static constexpr bool as_block = is_bulk<X>&& Elements::contiguous;

    struct chunk_part {
        std::size_t first;
        std::size_t count;
    };
    chunk_part part(std::size_t task) const {
        const std::size_t first = task * chunk_;
        const std::size_t left = elements_.size() - first;
        return {first, left < chunk_ ? left : chunk_};
    }

    template <class Results>
    static R collect(Results&& from) {
        if constexpr (is_bulk<value>) {
            return std::forward<Results>(from);
        } else {
            R whole;
            whole.reserve(from.size());
            for (auto&& slot : from) {
                if constexpr (std::is_lvalue_reference_v<Results>)
                    whole.push_back(*slot);
                else
                    whole.push_back(std::move(*slot));
            }
            return whole;
        }
    }

    static T read_element_of(decoder& in) { return in.template read<T>(); }

    static void run(decoder& in, reply_writer& reply) {
        F function = task_function<F>::read(in);
        const std::size_t count = in.template take_count<T, min_bytes<T>>();
        if constexpr (is_bulk<value>)
            run_into_ring(function, in, count, reply);
        else
            run_and_encode(function, in, count, reply);
    }

    static value call(F& function, decoder& in) {
        std::tuple<T> argument(read_element_of(in));
        return call_with(function, argument);
    }

    /// Results go where the pool will read them, one by one.
    static void run_into_ring(F& function, decoder& in, std::size_t count, reply_writer& reply) {
        std::byte* place = reply.reserve(count * sizeof(value));
        for (std::size_t i = 0; i < count; ++i, place += sizeof(value)) {
            const value result = call(function, in);
            end_copy_of_worker();
            std::memcpy(place, &result, sizeof result);
        }
        in.finish();
    }

    static void run_and_encode(F& function, decoder& in, std::size_t count, reply_writer& reply) {
        std::vector<value> values;
        values.reserve(in.justify(count, sizeof(value)));
        sizer sizes;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(call(function, in));
            size_value<value>(sizes, values.back());
        }
        in.finish();
        writer out(reply.reserve(sizes.bytes()));
        for (const auto& one : values)
            write_value<value>(out, one);
    }

    task_function<F> function_;
    Elements elements_;
    std::size_t chunk_;
    results results_;
};

}  // namespace multiprocessing::detail
