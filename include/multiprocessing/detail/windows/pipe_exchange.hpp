// SPDX-License-Identifier: MIT
// Windows backend of detail/os/pipe.hpp: one pipe fed and two drained by operations that are under
// way at once.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/windows/api.hpp>
#include <multiprocessing/detail/windows/error.hpp>
#include <multiprocessing/detail/windows/handle.hpp>
#include <multiprocessing/detail/windows/lasting_thread.hpp>
#include <multiprocessing/detail/windows/overlapped.hpp>
#include <multiprocessing/detail/windows/wait.hpp>

namespace multiprocessing::detail::windows {

/// A piece of input that the system has been given to write, in a copy: see unfinished_input.
struct written_piece {
    std::string bytes;
    operation writing;
};

/// Pieces whose program nobody talks to any more. They end when it reads them or is gone, and are
/// let go of then: nobody waits for that.
class abandoned_pieces {
public:
    static abandoned_pieces& instance() {
        static abandoned_pieces* const pieces =
            new abandoned_pieces;  // Never destroyed: the system may be reading them.
        return *pieces;
    }

    void add(std::unique_ptr<written_piece> piece) noexcept {
        const std::lock_guard lock(mutex_);
        pieces_.remove_if([](const auto& one) {
            bool ended = false;
            return !wait_for(one->writing.event(), deadline::now(), ended) && ended;
        });
        try {
            pieces_.push_back(std::move(piece));
        } catch (const std::bad_alloc&) {
            static_cast<void>(piece.release());  // The system reads it: it must stay.
        }
    }

private:
    std::mutex mutex_;
    std::list<std::unique_ptr<written_piece>> pieces_;
};

/// What is under way when an exchange ends, for the next one on the same pipe. It cannot be called
/// off: the program may have read a part of it, and which one the system does not tell.
class unfinished_input {
public:
    unfinished_input() noexcept = default;
    unfinished_input(unfinished_input&&) noexcept = default;
    unfinished_input& operator=(unfinished_input&& other) noexcept {
        std::swap(piece_, other.piece_);
        return *this;
    }
    ~unfinished_input() {
        if (piece_)
            abandoned_pieces::instance().add(std::move(piece_));
    }

    std::unique_ptr<written_piece> take() noexcept { return std::move(piece_); }
    void keep(std::unique_ptr<written_piece> piece) noexcept { piece_ = std::move(piece); }

private:
    std::unique_ptr<written_piece> piece_;
};

/// The pipe that is fed.
class pipe_feed {
public:
    pipe_feed() noexcept = default;
    pipe_feed(const pipe_feed&) = delete;
    pipe_feed& operator=(const pipe_feed&) = delete;
    ~pipe_feed() {
        if (open() && piece_)
            unfinished_->keep(std::move(piece_));
    }

    void start(handle& to, std::string_view input, unfinished_input& unfinished) noexcept {
        pipe_ = &to;
        input_ = input;
        unfinished_ = &unfinished;
        piece_ = unfinished.take();
    }
    /// Writes, if nothing is under way. Where the exchange `may_stop` before all is written, what
    /// is under way then must outlast this thread.
    std::error_code resume(bool may_stop) {
        may_stop_ = may_stop;
        return open() && !piece_ ? write_next() : std::error_code();
    }
    bool open() const noexcept { return pipe_ != nullptr && *pipe_; }
    native_handle event() const noexcept { return piece_->writing.event(); }
    std::string_view unsent() const noexcept { return input_; }

    /// A piece has ended. A reader that is gone ends the feeding, and nothing else: what it
    /// answered is still read.
    std::error_code go_on() {
        std::size_t count = 0;
        const auto ec = piece_->writing.finish(count);
        piece_->bytes.erase(0, count);
        if (ec)
            return end(ec);
        return piece_->bytes.empty() ? write_next() : write_piece();
    }

private:
    std::error_code write_next() {
        if (input_.empty())
            return end({});
        if (!piece_)
            piece_ = std::make_unique<written_piece>();
        piece_->bytes = input_.substr(0, piece_bytes);
        input_.remove_prefix(piece_->bytes.size());
        return write_piece();
    }
    std::error_code write_piece() {
        const auto write = [this] {
            return piece_->writing.write(pipe_->get(), std::as_bytes(std::span(piece_->bytes)));
        };
        const auto ec = may_stop_ ? lasting_thread::instance().run(write) : write();
        return ec ? end(ec) : ec;
    }
    std::error_code end(std::error_code ec) noexcept {
        piece_.reset();
        pipe_->reset();
        return ec == std::errc::broken_pipe ? std::error_code() : ec;
    }

    static constexpr std::size_t piece_bytes = 64 * 1024;

    handle* pipe_ = nullptr;
    std::string_view input_;
    unfinished_input* unfinished_ = nullptr;
    std::unique_ptr<written_piece> piece_;
    bool may_stop_ = false;
};

/// One pipe and the string it is emptied into.
class pipe_drain {
public:
    std::error_code start(handle& from, std::string& into) {
        pipe_ = &from;
        into_ = &into;
        buffer_ = std::make_unique_for_overwrite<std::byte[]>(buffer_bytes);
        return read_more();
    }
    bool open() const noexcept { return pipe_ != nullptr && *pipe_; }
    native_handle event() const noexcept { return reading_.event(); }

    /// A read has ended.
    std::error_code go_on() {
        const auto ec = take();
        return ec || !open() ? ec : read_more();
    }
    /// Reads again after a stop().
    std::error_code resume() noexcept {
        return open() && !reading_.under_way() ? read_more() : std::error_code();
    }
    /// No more is wanted; what came until then is taken.
    std::error_code stop() {
        if (!open() || !reading_.under_way())
            return {};
        reading_.cancel();
        const auto ec = take();
        return ec == called_off() ? std::error_code() : ec;
    }

private:
    static std::error_code called_off() noexcept { return error_of(api::error_operation_aborted); }

    std::error_code read_more() noexcept {
        return close_at_end(reading_.read(pipe_->get(), {buffer_.get(), buffer_bytes}));
    }
    std::error_code take() {
        std::size_t count = 0;
        const auto ec = reading_.finish(count);
        into_->append(reinterpret_cast<const char*>(buffer_.get()), count);
        return close_at_end(ec);
    }
    std::error_code close_at_end(std::error_code ec) noexcept {
        if (ec != std::errc::broken_pipe)
            return ec;
        pipe_->reset();
        return {};
    }

    static constexpr std::size_t buffer_bytes = 64 * 1024;

    handle* pipe_ = nullptr;
    std::string* into_ = nullptr;
    std::unique_ptr<std::byte[]> buffer_;
    operation reading_;
};

class pipe_exchange {
public:
    using unfinished = unfinished_input;

    /// `input` must stay where it is until the exchange has ended.
    std::error_code feed(handle& to, std::string_view input) noexcept {
        return feed(to, input, own_unfinished_);
    }
    std::error_code feed(handle& to, std::string_view input, unfinished& rest) noexcept {
        feed_.start(to, input, rest);
        return {};
    }
    std::error_code drain(handle& from, std::string& into) {
        return (drains_[0].open() ? drains_[1] : drains_[0]).start(from, into);
    }

    /// What of the input was not handed over yet.
    std::string_view unsent() const noexcept { return feed_.unsent(); }

    /// Goes on until every pipe has ended (`done`) or `until` has passed; then the pipes that are
    /// drained are no longer read from.
    std::error_code run(const deadline& until, bool& done) {
        if (const auto ec = feed_.resume(!until.is_never()))
            return ec;
        for (pipe_drain& drain : drains_)
            if (const auto ec = drain.resume())
                return ec;
        for (;;) {
            std::vector<native_handle> events;
            list(events);
            done = events.empty();
            if (done)
                return {};
            std::vector<std::size_t> ended;
            if (const auto ec = wait_for_any(events, until, ended))
                return ec;
            if (ended.empty())
                return stop(done);
            if (const auto ec = serve(events[ended.front()]))
                return ec;
            // A program that never stops writing must not outlast the deadline.
            if (until.passed())
                return stop(done);
        }
    }

private:
    void list(std::vector<native_handle>& events) const {
        if (feed_.open())
            events.push_back(feed_.event());
        for (const pipe_drain& drain : drains_)
            if (drain.open())
                events.push_back(drain.event());
    }

    std::error_code serve(native_handle event) {
        if (feed_.open() && event == feed_.event())
            return feed_.go_on();
        return drains_[drains_[0].open() && event == drains_[0].event() ? 0 : 1].go_on();
    }

    std::error_code stop(bool& done) {
        for (pipe_drain& drain : drains_)
            if (const auto ec = drain.stop())
                return ec;
        done = !feed_.open() && !drains_[0].open() && !drains_[1].open();
        return {};
    }

    unfinished own_unfinished_;
    pipe_feed feed_;
    pipe_drain drains_[2];
};

}  // namespace multiprocessing::detail::windows
