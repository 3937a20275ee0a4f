// SPDX-License-Identifier: MIT
// A job whose result can be had, and who is told of it.
#pragma once

#include <cstddef>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/function.hpp>
#include <multiprocessing/detail/task.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

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
    void pass(const function<void(const R&)>& to) const { to(*value); }
};
template <>
struct result_slot<void> {
    void read(decoder&) {}
    void take() {}
    void copy() const {}
    void pass(const function<void()>& to) const { to(); }
};

/// Who is told of a result, and of an error.
template <class R>
struct callback_of {
    using type = function<void(const R&)>;
};
template <>
struct callback_of<void> {
    using type = function<void()>;
};
template <class R>
using callback = typename callback_of<R>::type;
using error_callback = function<void(std::exception_ptr)>;

/// What a callback throws concerns nobody who waits; it is told on standard error.
inline void report_callback_failure() noexcept {
    try {
        throw;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "multiprocessing: a callback threw %s: %s\n",
                     readable_type_name(typeid(error)).c_str(), error.what());
    } catch (...) {
        const std::type_info* const type = current_exception_type();
        std::fprintf(stderr, "multiprocessing: a callback threw %s, which is no std::exception\n",
                     type != nullptr ? readable_type_name(*type).c_str() : "something");
    }
}

inline void call_follower(const function<void()>& follower) noexcept {
    try {
        follower();
    } catch (...) {
        report_callback_failure();
    }
}

/// Something that will be there.
class awaited {
public:
    virtual ~awaited() = default;
    virtual bool ready() const noexcept = 0;
    /// Whether it is ready only when a callback has been told of it.
    virtual bool awaits_callback() const noexcept { return false; }
};

/// Where results come from, and are waited for.
class workplace {
public:
    virtual ~workplace() = default;
    /// Returns whether it was there before the time had passed.
    virtual bool wait(const awaited& work, const deadline& until) = 0;
    /// Whether this is the process that made it.
    virtual bool is_owned() const noexcept = 0;
};

/// A result that can be had once it is ready.
template <class R>
class result_source : public awaited {
public:
    /// The result, or throws the error. The first way copies what can be copied; the rest it gives
    /// away as the second does, and throws `ValueError` when asked again.
    virtual R get() = 0;
    virtual R take() = 0;
    virtual bool failed() const noexcept = 0;
    /// What it failed with; null where it did not.
    virtual const std::exception_ptr& error() const noexcept = 0;
};

/// Work whose result can be had.
template <class R, class Work = job>
class result_job : public Work, public result_source<R> {
public:
    using result = R;
    using Work::Work;

    bool ready() const noexcept override { return this->done(); }
    bool awaits_callback() const noexcept override { return this->calls_back(); }
    bool failed() const noexcept override { return error_ != nullptr; }

    void take_error(std::size_t, std::exception_ptr error) noexcept override {
        if (!error_)
            error_ = std::move(error);
    }

    /// Before it is given out.
    void tell(callback<R> of_result, error_callback of_error) {
        if (!of_result && !of_error)
            return;
        hooks_ = std::make_unique<hooks>();
        hooks_->of_result = std::move(of_result);
        hooks_->of_error = std::move(of_error);
        this->be_called_back();
    }

    void call_back() noexcept override {
        try {
            if (!error_ && hooks_->of_result)
                pass_result(hooks_->of_result);
            else if (error_ && hooks_->of_error)
                hooks_->of_error(error_);
        } catch (...) {
            report_callback_failure();
        }
        // They may keep this object, and whatever the user gave them.
        const auto followers = std::move(hooks_->followers);
        for (const auto& [number, follower] : followers)
            call_follower(follower);
    }

    /// With the lock held, before it is done: `follower` is called after it is. Returns a number to
    /// unfollow by.
    std::size_t follow(function<void()> follower) {
        if (!hooks_)
            hooks_ = std::make_unique<hooks>();
        hooks_->followers.emplace_back(++hooks_->last, std::move(follower));
        return hooks_->last;
    }
    void unfollow(std::size_t number) noexcept {
        detail::erase_if(hooks_->followers, [&](const auto& one) { return one.first == number; });
    }

    const std::exception_ptr& error() const noexcept override { return error_; }

protected:
    void throw_if_failed() const {
        if (error_)
            std::rethrow_exception(error_);
    }
    void once() {
        if (!this->give_away())
            throw ValueError("this result cannot be copied and has been given away");
    }

private:
    struct hooks {
        callback<R> of_result;
        error_callback of_error;
        std::vector<std::pair<std::size_t, function<void()>>> followers;
        std::size_t last = 0;
    };

    virtual void pass_result(const callback<R>& to) = 0;

    std::exception_ptr error_;
    /// Null for most: a million may wait.
    std::unique_ptr<hooks> hooks_;
};

}  // namespace multiprocessing::detail
