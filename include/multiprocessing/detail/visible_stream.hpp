// SPDX-License-Identifier: MIT
// What `progress` adds to a stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/imap_iterator.hpp>
#include <multiprocessing/detail/progress_line.hpp>
#include <multiprocessing/detail/range.hpp>

namespace multiprocessing::detail {

/// Shows how many results have been read, when one is.
template <class R>
class visible_stream final : public result_stream<R> {
public:
    visible_stream(std::unique_ptr<result_stream<R>> results, std::optional<std::size_t> total)
        : results_(std::move(results)), total_(total), line_(total) {
        line_.show(0);
    }

    std::optional<R> next(const deadline& until) override {
        std::optional<R> result = results_->next(until);
        if (result)
            count_one();
        else
            line_.show(total_.value_or(done_));
        return result;
    }

private:
    void count_one() {
        ++done_;
        const auto now = std::chrono::steady_clock::now();
        if (now < next_show_)
            return;
        line_.show(done_);
        next_show_ = now + progress_line::interval;
    }

    std::unique_ptr<result_stream<R>> results_;
    const std::optional<std::size_t> total_;
    progress_line line_;
    std::size_t done_ = 0;
    std::chrono::steady_clock::time_point next_show_{};
};

/// How many elements a range has, where it knows.
template <class Range>
std::optional<std::size_t> known_size(Range& range) {
    if constexpr (std::ranges::sized_range<Range>)
        return static_cast<std::size_t>(std::ranges::size(range));
    else
        return std::nullopt;
}

template <class R>
std::unique_ptr<result_stream<R>> show_stream(std::unique_ptr<result_stream<R>> results,
                                              std::optional<std::size_t> total) {
    return std::make_unique<visible_stream<R>>(std::move(results), total);
}

}  // namespace multiprocessing::detail
