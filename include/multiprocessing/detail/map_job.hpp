// SPDX-License-Identifier: MIT
// A function over a range in chunks, as a job of a pool.
#pragma once

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/chunk_call.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/elements.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/task_function.hpp>

namespace multiprocessing::detail {

/// `f` of each element of a range, a chunk a task. `Elements` as above; R is not void.
template <class F, class Elements>
class map_job final
    : public result_job<std::vector<typename chunk_call<F, typename Elements::element>::value>> {
public:
    /// The destructor of a user's value may not throw here: nobody could be told.
    ~map_job() noexcept override = default;
    using T = typename Elements::element;
    using value = typename chunk_call<F, T>::value;
    using R = std::vector<value>;

    map_job(F function, Elements elements, std::size_t chunk)
        : result_job<R>((elements.size() + chunk - 1) / chunk), function_(std::move(function)),
          elements_(std::move(elements)), chunk_(chunk), results_(elements_.size()) {}

    std::size_t elements() const { return elements_.size(); }
    std::size_t chunk() const noexcept { return chunk_; }

    task_header header() const override { return chunk_call<F, T>::header(); }
    std::size_t argument_bytes(std::size_t task) const override {
        const auto [first, count] = part(task);
        return function_.bytes() + chunk_call<F, T>::bytes(elements_, first, count);
    }
    void write_arguments(std::size_t task, std::byte* place) const override {
        const auto [first, count] = part(task);
        chunk_call<F, T>::write(function_.write(place), elements_, first, count);
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
    std::string name() const override { return function_.name() + " over a range"; }

    R get() override {
        this->throw_if_failed();
        if constexpr (copyable<value>)
            return whole_ ? *whole_ : collect(results_);
        else
            return this->once(), whole_ ? std::move(*whole_) : collect(std::move(results_));
    }
    R take() override {
        this->throw_if_failed();
        return whole_ ? std::move(*whole_) : collect(std::move(results_));
    }

private:
    // What crosses as a block of bytes is copied as one; the rest, which may have no default, waits
    // in optionals.
    using results =
        std::conditional_t<is_bulk<value>, std::vector<value>, std::vector<std::optional<value>>>;
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

    void pass_result(const callback<R>& to) override {
        whole_.emplace(collect(std::move(results_)));
        to(*whole_);
    }

    task_function<F> function_;
    Elements elements_;
    std::size_t chunk_;
    results results_;
    /// Where a callback has been given it.
    std::optional<R> whole_;
};

}  // namespace multiprocessing::detail
