// SPDX-License-Identifier: MIT
// The exceptions of the library, under the names of Python's modules.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/config.hpp>

namespace multiprocessing {

/// The root of the library's own errors, and the error of a call that the state of a process does
/// not allow (started twice, joined before it was started). Python: `ProcessError`; Python asserts
/// where this is thrown for a wrong state.
struct ProcessError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A wait for a result ended before the result came. Python: `multiprocessing.TimeoutError`.
struct TimeoutError : ProcessError {
    using ProcessError::ProcessError;
};

/// The peer did not know the key. Python: `AuthenticationError`.
struct AuthenticationError : ProcessError {
    using ProcessError::ProcessError;
};

/// A message did not fit the caller's buffer. Nothing is lost: `message()` is the whole of it.
/// Python: `BufferTooShort`.
class BufferTooShort : public ProcessError {
public:
    explicit BufferTooShort(std::vector<std::byte> message)
        : ProcessError("buffer too short for a message of " + std::to_string(message.size()) +
                       " bytes"),
          message_(std::move(message)) {}

    /// The message that did not fit, whole.
    const std::vector<std::byte>& message() const noexcept { return message_; }

private:
    std::vector<std::byte> message_;
};

/// A queue had nothing to give in the time allowed. Python: `queue.Empty`.
struct Empty : std::runtime_error {
    Empty() : std::runtime_error("the queue is empty") {}
    explicit Empty(const std::string& what) : std::runtime_error(what) {}
};

/// A queue had no room in the time allowed. Python: `queue.Full`.
struct Full : std::runtime_error {
    Full() : std::runtime_error("the queue is full") {}
    explicit Full(const std::string& what) : std::runtime_error(what) {}
};

/// A barrier was broken, reset or aborted while it was waited for.
/// Python: `threading.BrokenBarrierError`.
struct BrokenBarrierError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A value or callable cannot cross to another process, or what arrived is not what was expected.
/// The text names the type. Python: `pickle.PicklingError`, `pickle.UnpicklingError`.
struct PicklingError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The other end was closed and everything it had sent was read. Python: `EOFError`.
struct EOFError : std::runtime_error {
    EOFError() : std::runtime_error("end of file: the other end is closed") {}
    explicit EOFError(const std::string& what) : std::runtime_error(what) {}
};

/// An argument is out of range, or the object was closed. Python: `ValueError`.
struct ValueError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// The work was given up before it was done, because somebody asked for that.
/// Python: `concurrent.futures.CancelledError`.
struct CancelledError : ProcessError {
    CancelledError() : ProcessError("the work was cancelled") {}
    using ProcessError::ProcessError;
};

/// An exception left a function in another process. Where it was one of the standard exceptions or
/// of this library, or of a type that `MULTIPROCESSING_REGISTER_EXCEPTION` names, it is thrown again
/// as that type; every other arrives as this. Python: the cause `RemoteTraceback` of a pool's error,
/// and `managers.RemoteError`.
class RemoteError : public std::runtime_error {
public:
    RemoteError(std::string type, std::string text, std::vector<std::string> stack = {})
        : std::runtime_error(type + ": " + text), type_(std::move(type)), text_(std::move(text)),
          stack_(std::move(stack)) {}

    /// The name of the type that was thrown over there, such as `app::parse_error`.
    const std::string& type() const noexcept { return type_; }
    /// What its `what()` said.
    const std::string& text() const noexcept { return text_; }
    /// The calls that it was thrown in, the innermost first and at most 64, each as
    /// "program(function+0x12)", or "program(+0x1234)" where the loader does not know the name: it
    /// knows those of libraries, and of programs linked with -rdynamic (CMake: ENABLE_EXPORTS);
    /// `addr2line -Cfe program 0x1234` knows every one in a build with -g. Windows' loader knows
    /// none; the numbers there count from where the module is loaded. Empty on other systems with a
    /// standard library other than GNU's, whose runtime does not tell.
    const std::vector<std::string>& stack() const noexcept { return stack_; }

private:
    std::string type_;
    std::string text_;
    std::vector<std::string> stack_;
};

/// What is known of the end of a worker process.
struct worker_end {
    int pid = 0;
    /// Its exit status, or minus the signal that ended it; empty where another part of the program
    /// had waited for it first.
    std::optional<int> exitcode{};
    /// The signal by name, such as "SIGKILL"; empty where it was none.
    std::string signal{};
    /// What it ran: the function, and which of the call's tasks.
    std::string task{};
    /// Whether the system has ended processes for want of memory meanwhile: probably this one.
    bool out_of_memory = false;
    /// The last lines that it wrote to standard error, if the pool was to keep them.
    std::string last_words{};
};

/// A worker process ended before it had answered. The work it was doing is lost, nothing else.
/// Python's pool waits for ever instead; `concurrent.futures` breaks as a whole
/// (`BrokenProcessPool`).
class WorkerLostError : public ProcessError {
public:
    WorkerLostError(const std::string& what, worker_end end)
        : ProcessError(what), end_(std::move(end)) {}

    /// The process that was lost.
    int pid() const noexcept { return end_.pid; }
    /// See `worker_end`.
    std::optional<int> exitcode() const noexcept { return end_.exitcode; }
    const std::string& signal() const noexcept { return end_.signal; }
    const std::string& task() const noexcept { return end_.task; }
    bool out_of_memory() const noexcept { return end_.out_of_memory; }
    const std::string& last_words() const noexcept { return end_.last_words; }

private:
    worker_end end_;
};

/// The initializer of a pool's workers threw, so that none of them can work. Python's pool starts
/// workers for ever instead; `concurrent.futures` breaks as a whole (`BrokenProcessPool`).
class InitializerError : public ProcessError {
public:
    explicit InitializerError(std::exception_ptr cause)
        : ProcessError("the initializer of the pool's workers failed: " + text_of(cause)),
          cause_(std::move(cause)) {}

    /// What it threw.
    const std::exception_ptr& cause() const noexcept { return cause_; }

private:
    static std::string text_of(const std::exception_ptr& cause) {
        try {
            std::rethrow_exception(cause);
        } catch (const std::exception& error) {
            return error.what();
        } catch (...) {
            return "an exception that is no std::exception";
        }
    }

    std::exception_ptr cause_;
};

namespace detail {

/// Throws `std::system_error` with the operation and the object it was tried on, such as
/// "attach shared memory 'weights'".
[[noreturn]] inline void throw_system_error(std::error_code ec, const std::string& operation) {
    throw std::system_error(ec, operation);
}

inline void throw_if_error(std::error_code ec, std::string_view operation) {
    if (ec)
        throw_system_error(ec, std::string(operation));
}

/// Throws what is being handled once more. With MinGW a plain `throw;` that nobody catches ends the
/// program without a word: its runtime library aborts before the message is printed.
[[noreturn]] inline void throw_again() {
    std::rethrow_exception(std::current_exception());
}

}  // namespace detail
}  // namespace multiprocessing
