// SPDX-License-Identifier: MIT
// How far work has come, as one line on a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>

#include <multiprocessing/detail/os/streams.hpp>

namespace multiprocessing::detail {

/// "1:02:03", or "02:03" for less than an hour.
inline std::string clock_text(std::chrono::duration<double> time) {
    const auto seconds = static_cast<long long>(time.count());
    char text[64];
    if (seconds >= 3600)
        std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                      seconds % 60);
    else
        std::snprintf(text, sizeof text, "%02lld:%02lld", seconds / 60, seconds % 60);
    return text;
}

/// Such as " 45% 450/1000 [00:05<00:06, 87.3/s]": the share, the count, the time that has passed
/// and that is left, the rate; "450 [00:05, 87.3/s]" where nobody knows how many there will be.
inline std::string progress_text(std::size_t done, std::optional<std::size_t> total,
                                 std::chrono::duration<double> passed) {
    const double rate = passed.count() > 0 ? static_cast<double>(done) / passed.count() : 0;
    const std::string clock = clock_text(passed);
    char text[160];
    if (!total) {
        std::snprintf(text, sizeof text, "%zu [%s, %.1f/s]", done, clock.c_str(), rate);
        return text;
    }
    const std::chrono::duration<double> left(rate > 0 ? static_cast<double>(*total - done) / rate
                                                      : 0);
    std::snprintf(text, sizeof text, "%3zu%% %zu/%zu [%s<%s, %.1f/s]",
                  *total == 0 ? 100 : done * 100 / *total, done, *total, clock.c_str(),
                  rate > 0 ? clock_text(left).c_str() : "?", rate);
    return text;
}

/// Quiet where standard error is no terminal.
class progress_line {
public:
    static constexpr std::chrono::milliseconds interval{100};

    explicit progress_line(std::optional<std::size_t> total)
        : total_(total), visible_(standard_error_is_terminal()) {}
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;
    /// The line stays, for others to follow.
    ~progress_line() {
        if (shown_)
            std::fputs("\n", stderr);
    }

    void show(std::size_t done) {
        if (!visible_)
            return;
        const auto passed = std::chrono::steady_clock::now() - start_;
        std::string line = progress_text(done, total_, passed);
        const std::size_t width = line.size();
        if (width < last_width_)
            line.append(last_width_ - width, ' ');
        last_width_ = width;
        shown_ = true;
        std::fprintf(stderr, "\r%s", line.c_str());
        std::fflush(stderr);
    }

private:
    const std::optional<std::size_t> total_;
    const bool visible_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::size_t last_width_ = 0;
    bool shown_ = false;
};

}  // namespace multiprocessing::detail
