// SPDX-License-Identifier: MIT
// What the calls of a ThreadPool become.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/arguments.hpp>
#include <multiprocessing/detail/result_job.hpp>
#include <multiprocessing/detail/thread_crew.hpp>

namespace multiprocessing::detail {

/// The result of a call; of nothing where it returns nothing.
template <class R>
using local_value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;

template <class F, class... Ts>
auto call_locally(F& function, std::tuple<Ts...>& arguments) {
    using R = std::decay_t<call_result_t<F, std::tuple<Ts...>>>;
    if constexpr (std::is_void_v<R>)
        return call_with(function, arguments), std::monostate{};
    else
        return R(call_with(function, arguments));
}

/// Work in parts that threads run in place.
class local_job {
public:
    explicit local_job(std::size_t tasks) noexcept : remaining_(tasks), done_(tasks == 0) {}
    local_job(const local_job&) = delete;
    local_job& operator=(const local_job&) = delete;
    virtual ~local_job() = default;

    bool done() const noexcept { return done_.load(std::memory_order_acquire); }
    bool calls_back() const noexcept { return calls_back_; }
    virtual void run(std::size_t task) = 0;
    virtual void take_error(std::size_t task, std::exception_ptr error) noexcept = 0;
    virtual void call_back() noexcept {}

    /// With the crew's lock held: one more has ended; returns whether it was the last.
    bool settle() noexcept { return --remaining_ == 0; }
    void finish() noexcept { done_.store(true, std::memory_order_release); }
    /// With the crew's lock held: how many have not ended.
    std::size_t remaining() const noexcept { return remaining_; }

protected:
    void be_called_back() noexcept {
        calls_back_ = true;
        done_.store(false, std::memory_order_relaxed);
    }
    /// Of a result that cannot be copied; returns whether it was still there.
    bool give_away() noexcept { return !given_away_.exchange(true); }

private:
    std::size_t remaining_;
    std::atomic<bool> done_;
    std::atomic<bool> given_away_{false};
    bool calls_back_ = false;
};

/// After its last part, or at once where it has none.
inline void finish_locally(thread_crew& crew, const std::shared_ptr<local_job>& work) {
    if (!work->calls_back())
        return crew.settle([&] { work->finish(); });
    crew.post_callback([&crew, work] {
        work->call_back();
        crew.settle([&] { work->finish(); });
    });
}

class local_part final : public local_task {
public:
    /// The destructor of a user's value may not throw here: nobody could be told.
    ~local_part() noexcept override = default;
    local_part(thread_crew& crew, std::shared_ptr<local_job> of, std::size_t task)
        : crew_(crew), of_(std::move(of)), task_(task) {}

    void run() noexcept override {
        std::exception_ptr error;
        try {
            of_->run(task_);
        } catch (...) {
            error = std::current_exception();
        }
        settle(std::move(error));
    }
    void fail(std::exception_ptr error) noexcept override { settle(std::move(error)); }

private:
    void settle(std::exception_ptr error) noexcept {
        bool last = false;
        crew_.settle([&] {
            if (error)
                of_->take_error(task_, error);  // One that is not wanted goes without the lock.
            last = of_->settle();
        });
        if (last)
            finish_locally(crew_, of_);
    }

    thread_crew& crew_;
    std::shared_ptr<local_job> of_;
    std::size_t task_;
};

template <class F, class... Ts>
class local_call_job final
    : public result_job<std::decay_t<call_result_t<F, std::tuple<Ts...>>>, local_job> {
public:
    using R = std::decay_t<call_result_t<F, std::tuple<Ts...>>>;

    local_call_job(F function, std::tuple<Ts...> arguments)
        : result_job<R, local_job>(1), function_(std::move(function)),
          arguments_(std::move(arguments)) {}

    void run(std::size_t) override { result_.emplace(call_locally(function_, arguments_)); }

    R get() override {
        this->throw_if_failed();
        if constexpr (std::is_void_v<R>)
            return;
        else if constexpr (copyable<R>)
            return *result_;
        else
            return this->once(), std::move(*result_);
    }
    R take() override {
        this->throw_if_failed();
        if constexpr (!std::is_void_v<R>)
            return std::move(*result_);
    }

private:
    void pass_result(const callback<R>& to) override {
        if constexpr (std::is_void_v<R>)
            to();
        else
            to(*result_);
    }

    F function_;
    std::tuple<Ts...> arguments_;
    std::optional<local_value<R>> result_;
};

/// `f` of some elements. Each part has its own copy of the function, where it can be copied.
template <class F, class T, class At, class Put>
void map_locally(F& function, std::size_t count, At at, Put put) {
    const auto each = [&](F& mine) {
        for (std::size_t i = 0; i < count; ++i) {
            std::tuple<T> argument(at(i));
            put(i, call_locally(mine, argument));
        }
    };
    if constexpr (std::is_copy_constructible_v<F>) {
        F mine(function);
        each(mine);
    } else {
        each(function);
    }
}

template <class F, class T>
using local_result = local_value<std::decay_t<call_result_t<F, std::tuple<T>>>>;

template <class F, class Elements>
class local_map_job final
    : public result_job<std::vector<local_result<F, typename Elements::element>>, local_job> {
public:
    using T = typename Elements::element;
    using value = local_result<F, T>;
    using R = std::vector<value>;

    local_map_job(F function, Elements elements, std::size_t chunk)
        : result_job<R, local_job>((elements.size() + chunk - 1) / chunk),
          function_(std::move(function)), elements_(std::move(elements)), chunk_(chunk),
          results_(elements_.size()) {}

    std::size_t elements() const { return elements_.size(); }
    std::size_t chunk() const noexcept { return chunk_; }
    std::size_t parts() const { return (elements_.size() + chunk_ - 1) / chunk_; }

    void run(std::size_t task) override {
        const std::size_t first = task * chunk_;
        const std::size_t left = elements_.size() - first;
        map_locally<F, T>(
            function_, left < chunk_ ? left : chunk_,
            [&](std::size_t i) -> decltype(auto) { return elements_[first + i]; },
            [&](std::size_t i, value&& found) { results_[first + i].emplace(std::move(found)); });
    }

    R get() override {
        this->throw_if_failed();
        if constexpr (copyable<value>)
            return whole_ ? *whole_ : collect<const std::optional<value>>();
        else
            return this->once(), take_whole();
    }
    R take() override {
        this->throw_if_failed();
        return take_whole();
    }

private:
    R take_whole() { return whole_ ? std::move(*whole_) : collect<std::optional<value>>(); }
    template <class Slot>
    R collect() {
        R whole;
        whole.reserve(results_.size());
        for (Slot& slot : results_)
            whole.push_back(std::move(*slot));  // Of a const one that is a copy.
        return whole;
    }
    void pass_result(const callback<R>& to) override {
        whole_.emplace(collect<std::optional<value>>());
        to(*whole_);
    }

    F function_;
    Elements elements_;
    std::size_t chunk_;
    std::vector<std::optional<value>> results_;
    /// As it was shown to a callback.
    std::optional<R> whole_;
};

}  // namespace multiprocessing::detail
