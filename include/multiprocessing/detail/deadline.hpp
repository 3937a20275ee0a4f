// SPDX-License-Identifier: MIT
// A moment by which a wait must end, made once from a timeout so that several waits share it.
#pragma once

#include <chrono>
#include <optional>
#include <type_traits>

#include <multiprocessing/error.hpp>

namespace multiprocessing {

/// How long a call may wait: any `std::chrono` duration, or nothing for "as long as it takes".
/// Zero and negative durations ask without waiting; what nanoseconds cannot count is as long as
/// they can. Throws `ValueError` for not-a-number.
class timeout : public std::optional<std::chrono::nanoseconds> {
public:
    constexpr timeout() noexcept = default;
    constexpr timeout(std::nullopt_t) noexcept {}
    template <class Rep, class Period>
    constexpr timeout(const std::chrono::duration<Rep, Period>& limit)
        : std::optional<std::chrono::nanoseconds>(in_range(limit)) {}
    template <class Rep, class Period>
    constexpr timeout(const std::optional<std::chrono::duration<Rep, Period>>& limit) {
        if (limit)
            emplace(in_range(*limit));
    }

private:
    /// A plain conversion of `hours::max()` would overflow, to a negative number or anything.
    template <class Rep, class Period>
    static constexpr std::chrono::nanoseconds
    in_range(const std::chrono::duration<Rep, Period>& limit) {
        using std::chrono::nanoseconds;
        using real = std::chrono::duration<double, Period>;
        if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, nanoseconds>)
            return limit;
        else {
            constexpr auto most = std::chrono::duration_cast<real>((nanoseconds::max)());
            if (real(limit) >= most)
                return (nanoseconds::max)();
            if (limit != limit)
                throw ValueError("a timeout must be a number");
            return real(limit) > -most ? std::chrono::duration_cast<nanoseconds>(limit)
                                       : (nanoseconds::min)();
        }
    }
};

namespace detail {

class deadline {
public:
    using clock = std::chrono::steady_clock;

    static deadline never() noexcept { return deadline(std::nullopt); }
    static deadline now() noexcept { return deadline((clock::time_point::min)()); }

    /// The moment `limit` from now; never, if there is no limit or it is beyond what the clock
    /// counts.
    static deadline after(const timeout& limit) noexcept {
        if (!limit)
            return never();
        if (*limit <= std::chrono::nanoseconds::zero())
            return now();
        return after(clock::now(), *limit);
    }
    /// The moment `limit`, which is more than nothing, from `start`.
    static deadline after(clock::time_point start, std::chrono::nanoseconds limit) noexcept {
        if (limit > (clock::time_point::max)() - start)
            return never();
        return deadline(start + limit);
    }

    bool is_never() const noexcept { return !moment_; }
    bool immediate() const noexcept { return moment_ && *moment_ == (clock::time_point::min)(); }
    bool passed() const noexcept { return moment_ && (immediate() || clock::now() >= *moment_); }

    /// Whichever comes first.
    static deadline earlier(const deadline& a, const deadline& b) noexcept {
        if (!a.moment_ || !b.moment_)
            return a.moment_ ? a : b;
        return *a.moment_ <= *b.moment_ ? a : b;
    }

    /// What is left, never below zero; empty where there is no limit.
    timeout remaining() const noexcept {
        if (!moment_)
            return std::nullopt;
        if (immediate())
            return std::chrono::nanoseconds::zero();
        const std::chrono::nanoseconds left = *moment_ - clock::now();
        return left > left.zero() ? left : left.zero();
    }

    /// The moment on the monotonic clock, for waits that take one. Only where there is a limit.
    clock::time_point moment() const noexcept { return immediate() ? clock::now() : *moment_; }

private:
    explicit deadline(std::optional<clock::time_point> moment) noexcept : moment_(moment) {}

    std::optional<clock::time_point> moment_;
};

}  // namespace detail
}  // namespace multiprocessing
