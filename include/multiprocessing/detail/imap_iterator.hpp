// SPDX-License-Identifier: MIT
// IMapIterator: results that come one after the other.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>

namespace multiprocessing {

namespace detail {

template <class R>
class result_stream {
public:
    virtual ~result_stream() = default;
    /// The next result, or empty at the end; throws an element's error in its place.
    virtual std::optional<R> next(const deadline& until) = 0;
};

}  // namespace detail

/// The results of `imap`, one after the other: a range to loop over once, or asked by `next`. One
/// thread at a time may use it. Letting go of it gives up what has not begun.
/// Python: `multiprocessing.pool.IMapIterator`.
template <class R>
class IMapIterator {
public:
    explicit IMapIterator(std::unique_ptr<detail::result_stream<R>> stream) noexcept
        : stream_(std::move(stream)) {}

    /// The next result, or empty at the end. Throws what the function threw for the element that is
    /// next, `WorkerLostError` where its worker died, what the range threw, after the results of
    /// what came before, and `TimeoutError` if `limit` passes first; after each of them it may be
    /// called again. Python: `next(timeout)`, which raises `StopIteration` at the end.
    std::optional<R> next(const timeout& limit = {}) {
        return stream_->next(detail::deadline::after(limit));
    }

    /// Refers to the IMapIterator. Moving on throws what `next` throws.
    class iterator {
    public:
        using value_type = R;
        using difference_type = std::ptrdiff_t;
        using iterator_concept = std::input_iterator_tag;

        explicit iterator(IMapIterator& of) noexcept : of_(&of) {}
        R& operator*() const noexcept { return *of_->value_; }
        iterator& operator++() {
            of_->value_.reset();
            of_->value_ = of_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
            return it.is_at_end();
        }

    private:
        bool is_at_end() const noexcept { return !of_->value_; }

        IMapIterator* of_;
    };

    /// Waits for the first result.
    iterator begin() {
        value_ = next();
        return iterator(*this);
    }
    std::default_sentinel_t end() const noexcept { return {}; }

private:
    std::unique_ptr<detail::result_stream<R>> stream_;
    std::optional<R> value_;
};

}  // namespace multiprocessing
