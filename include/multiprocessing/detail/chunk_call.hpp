// SPDX-License-Identifier: MIT
// A function of one element, called for each of a chunk: what a task of a map is at both ends.
#pragma once

#include <cstddef>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/elements.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/task_function.hpp>

namespace multiprocessing::detail {

// On the wire: the function, a count, the elements; back come as many values, without a count.
template <class F, class T>
class chunk_call {
public:
    using value = std::decay_t<call_result_t<F, std::tuple<T>>>;

    static task_header header() { return header_of<&chunk_call::run>(); }

    /// The bytes of `count` elements that stand at `elements[0]` and following.
    template <class Elements>
    static std::size_t bytes(const Elements& elements, std::size_t first, std::size_t count) {
        sizer sizes;
        sizes.add(count_bytes);
        if constexpr (as_block<Elements>) {
            sizes.add(count * sizeof(T));
        } else {
            for (std::size_t i = first; i < first + count; ++i)
                size_value<T>(sizes, elements[i]);
        }
        return sizes.bytes();
    }

    template <class Elements>
    static void write(std::byte* place, const Elements& elements, std::size_t first,
                      std::size_t count) {
        writer out(place);
        out.put_count(count);
        if constexpr (as_block<Elements>) {
            out.put(elements.data() + first, count * sizeof(T));
        } else {
            for (std::size_t i = first; i < first + count; ++i)
                write_value<T>(out, elements[i]);
        }
    }

private:
    template <class Elements>
    static constexpr bool as_block = is_bulk<T>&& requires(const Elements& elements) {
        elements.data();
    };

    static void run(decoder& in, reply_writer& reply) {
        F function = task_function<F>::read(in);
        const std::size_t count = in.template take_count<T, min_bytes<T>>();
        if constexpr (is_bulk<value>)
            run_into_ring(function, in, count, reply);
        else
            run_and_encode(function, in, count, reply);
    }

    static value call(F& function, T&& element) {
        std::tuple<T> argument(std::move(element));
        return call_with(function, argument);
    }

    /// Results go where the pool will read them, one by one.
    static void run_into_ring(F& function, decoder& in, std::size_t count, reply_writer& reply) {
        std::byte* const place = reply.reserve(count * sizeof(value));
        if constexpr (is_bulk<T> && std::is_trivially_default_constructible_v<T>) {
            // Not from the decoder, whose place would be written and read again with each element.
            const std::byte* from = in.template take<T>(count * sizeof(T));
            fill(place, count, function, [&from] {
                T element;
                std::memcpy(&element, from, sizeof element);
                from += sizeof element;
                return element;
            });
        } else {
            fill(place, count, function, [&in] { return in.template read<T>(); });
        }
        in.finish();
    }
    template <class Next>
    static void fill(std::byte* place, std::size_t count, F& function, Next next) {
        for (std::size_t i = 0; i < count; ++i, place += sizeof(value)) {
            const value result = call(function, next());
            end_copy_of_worker();
            std::memcpy(place, &result, sizeof result);
        }
    }

    static void run_and_encode(F& function, decoder& in, std::size_t count, reply_writer& reply) {
        std::vector<value> values;
        values.reserve(in.justify(count, sizeof(value)));
        sizer sizes;
        for (std::size_t i = 0; i < count; ++i) {
            values.push_back(call(function, in.template read<T>()));
            size_value<value>(sizes, values.back());
        }
        in.finish();
        writer out(reply.reserve(sizes.bytes()));
        for (const auto& one : values)
            write_value<value>(out, one);
    }
};

/// The function of a map over elements of type T, as it is sent. What cannot cross or does not fit
/// does not compile.
template <class F, class T>
struct sent_function_of {
    static_assert(callable_with<F, std::tuple<T>>,
                  "the function cannot be called with an element of the range");
    using result = std::decay_t<call_result_t<F, std::tuple<T>>>;
    static_assert([] {
        assert_sendable<F>();
        assert_sendable<T>();
        if constexpr (!std::is_void_v<result>)
            assert_sendable<result>();
        return true;
    }());
    using type = std::conditional_t<std::is_void_v<result>, without_result<F>, F>;
};
template <class F, class T>
using sent_function = typename sent_function_of<F, T>::type;

/// What a map gives.
template <class F, class Range>
using mapped = std::vector<
    typename chunk_call<sent_function<F, kept_element_t<std::ranges::range_value_t<Range>>>,
                        kept_element_t<std::ranges::range_value_t<Range>>>::value>;

}  // namespace multiprocessing::detail
