// SPDX-License-Identifier: MIT
// What an executor's map adds to a stream: one time for all results, and elements from two ranges.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/imap_iterator.hpp>
#include <multiprocessing/detail/range.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// Ends a stream with `TimeoutError` when the time of all its results has passed.
template <class R>
class limited_stream final : public result_stream<R> {
public:
    limited_stream(IMapIterator<R> results, const deadline& end)
        : results_(std::move(results)), end_(end) {}

    std::optional<R> next(const deadline& until) override {
        if (!results_)
            throw TimeoutError("the time for all results has passed");
        try {
            const auto first = deadline::earlier(until, end_);
            return results_->next(first.is_never() ? timeout() : first.remaining());
        } catch (const TimeoutError&) {
            if (!end_.passed())
                throw_again();
            results_.reset();
            throw TimeoutError("the time for all results has passed");
        }
    }

private:
    std::optional<IMapIterator<R>> results_;
    const deadline end_;
};

template <class R>
IMapIterator<R> limit_stream(IMapIterator<R> results, const deadline& end) {
    if (end.is_never())
        return results;
    return IMapIterator<R>(std::make_unique<limited_stream<R>>(std::move(results), end));
}

/// Two ranges as one of pairs, as long as the shorter; one that is no temporary is referred to.
template <class A, class B>
class zipped {
    using first_range = typename held_range<A>::range;
    using second_range = typename held_range<B>::range;

public:
    zipped(A&& first, B&& second)
        : first_(std::forward<A>(first)), second_(std::forward<B>(second)) {}

    class iterator {
    public:
        using value_type = std::tuple<std::ranges::range_value_t<first_range>,
                                      std::ranges::range_value_t<second_range>>;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        explicit iterator(zipped& of)
            : first_(std::ranges::begin(of.first_.get())),
              second_(std::ranges::begin(of.second_.get())), of_(&of) {}
        value_type operator*() const { return value_type(*first_, *second_); }
        iterator& operator++() {
            ++first_;
            ++second_;
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) {
            return it.is_at_end();
        }

    private:
        bool is_at_end() const {
            return first_ == std::ranges::end(of_->first_.get()) ||
                   second_ == std::ranges::end(of_->second_.get());
        }

        std::ranges::iterator_t<first_range> first_;
        std::ranges::iterator_t<second_range> second_;
        zipped* of_;
    };

    iterator begin() { return iterator(*this); }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    held_range<A> first_;
    held_range<B> second_;
};

template <class A, class B>
inline constexpr bool lies_in_memory<zipped<A, B>> =
    lies_in_memory<std::remove_reference_t<A>> && lies_in_memory<std::remove_reference_t<B>>;

}  // namespace multiprocessing::detail
