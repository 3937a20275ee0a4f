// SPDX-License-Identifier: MIT
// Passes on what a pool's workers write to standard error, and knows the last of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/os/quiet_thread.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/detail/unshared_handle.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// The last lines of a text that was cut off anywhere in front.
inline std::string last_lines(std::string text, std::size_t count) {
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    std::size_t at = text.size();
    for (; count > 0 && at != text.npos && at != 0; --count)
        at = text.rfind('\n', at - 1);
    return at == text.npos || at == 0 ? text : text.substr(at + 1);
}

// A thread of its own waits for the workers' streams: nobody else may be there when one fills. A
// stream is read with the lock held and only when something is there, so that the dispatcher can
// read what a dead worker has left; it is closed by the thread alone, which may be waiting for it.
class error_relay {
public:
    error_relay() {
        throw_if_error(open_pipe(wake_), "open a pipe for a pool's standard error");
        withheld_[0].emplace(wake_.reader.get());
        withheld_[1].emplace(wake_.writer.get());
        thread_ = start_quiet_thread([this] { run(); });
    }
    error_relay(const error_relay&) = delete;
    error_relay& operator=(const error_relay&) = delete;
    ~error_relay() {
        wake('.');
        thread_.join();
    }

    /// The stream of a worker that has been started.
    void add(std::uint64_t number, handle reader) {
        {
            const std::lock_guard lock(mutex_);
            of(number).reader = std::move(reader);
        }
        wake('+');
    }
    /// Of a worker that has ended: the last lines that it wrote.
    std::string finish(std::uint64_t number) {
        std::string rest;
        std::string last;
        {
            const std::lock_guard lock(mutex_);
            stream& ended = of(number);
            while (read(ended, rest)) {
            }
            last = std::move(ended.last);
            ended.finished = true;
        }
        pass_on(rest);
        wake('-');
        return last_lines(std::move(last), most_lines);
    }

private:
    static constexpr std::size_t kept_bytes = 4096;
    static constexpr std::size_t most_lines = 10;

    struct stream {
        std::uint64_t worker = 0;
        handle reader{};
        std::string last{};
        /// Nothing more comes.
        bool over = false;
        /// Nobody asks about it any more.
        bool finished = false;
    };

    /// The stream of a worker, with the lock held.
    stream& of(std::uint64_t worker) {
        for (stream& one : streams_)
            if (one.worker == worker)
                return one;
        return streams_.emplace_back(stream{worker});
    }

    void wake(char word) noexcept {
        // Fails where the process has no memory for a byte; the thread then hears of it later.
        static_cast<void>(write_all(wake_.writer.get(), std::as_bytes(std::span(&word, 1))));
    }

    /// Reads once, if anything is there; returns whether it was.
    static bool read(stream& from, std::string& into) {
        bool ready = false;
        std::byte buffer[4096];
        std::size_t count = 0;
        if (from.over || wait_ready(from.reader.get(), deadline::now(), ready) || !ready)
            return false;
        if (read_some(from.reader.get(), buffer, count) || count == 0) {
            from.over = true;
            return false;
        }
        const auto* const text = reinterpret_cast<const char*>(buffer);
        into.append(text, count);
        from.last.append(text, count);
        if (from.last.size() > 2 * kept_bytes)
            from.last.erase(0, from.last.size() - kept_bytes);
        return true;
    }

    static void pass_on(const std::string& text) noexcept {
        // Where it cannot be written nobody reads it.
        static_cast<void>(write_all(standard_stream(2), std::as_bytes(std::span(text))));
    }

    void run() {
        std::vector<native_handle> objects;
        std::vector<std::size_t> ready;
        do {
            list(objects);
            if (wait_ready(objects, deadline::never(), ready))
                return;  // The system refuses: workers' streams fill, and are read at their end.
            pass_on(read_all());
        } while (!(detail::find(ready.begin(), ready.end(), std::size_t{0}) != ready.end() &&
                   heard_end()));
    }

    /// What to wait for; lets go of streams that are of no use any more.
    void list(std::vector<native_handle>& objects) {
        objects.assign(1, wake_.reader.get());
        const std::lock_guard lock(mutex_);
        detail::erase_if(streams_, [](const stream& one) { return one.finished; });
        for (const stream& one : streams_)
            if (!one.over)
                objects.push_back(one.reader.get());
    }
    std::string read_all() {
        std::string text;
        const std::lock_guard lock(mutex_);
        for (stream& one : streams_)
            read(one, text);
        return text;
    }
    bool heard_end() {
        std::byte words[64];
        std::size_t count = 0;
        if (read_some(wake_.reader.get(), words, count))
            return true;
        return detail::find(words, words + count, std::byte{'.'}) != words + count;
    }

    pipe_ends wake_;
    std::optional<unshared_handle> withheld_[2];
    std::mutex mutex_;
    std::vector<stream> streams_;
    std::thread thread_;
};

}  // namespace multiprocessing::detail
