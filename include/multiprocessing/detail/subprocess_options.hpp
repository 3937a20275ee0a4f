// SPDX-License-Identifier: MIT
// What a program is started with, as the users of subprocess write it down.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdio>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::subprocess {

/// A path by its shape, so that `<filesystem>` need not be included: `std::filesystem::path`,
/// Boost's, and others like them.
template <class Path>
concept path_like = requires(const Path& path) {
    typename Path::string_type;
    path.native();
    path.has_filename();
    { path.string() } -> std::convertible_to<std::string>;
};

/// A path in UTF-8, whatever the system keeps it in.
template <path_like Path>
std::string path_text(const Path& path) {
    if constexpr (requires { path.u8string(); }) {
        const auto text = path.u8string();
        return {text.begin(), text.end()};
    } else {
        return path.string();
    }
}

/// One word of a command, or a path: any string, taken for UTF-8 on Windows, or path.
class argument {
public:
    argument() = default;
    argument(const char* text) : text_(text) {}
    argument(std::string text) noexcept : text_(std::move(text)) {}
    argument(std::string_view text) : text_(text) {}
    template <path_like Path>
    argument(const Path& path) : text_(path_text(path)) {}

    /// As it reaches the program.
    const std::string& text() const noexcept { return text_; }
    /// Whether it has no characters; as an option that means it was not given.
    bool empty() const noexcept { return text_.empty(); }

private:
    std::string text_;
};

/// A range of strings or paths that is not itself one.
template <class Range>
concept argument_range =
    !path_like<Range> && !std::convertible_to<const Range&, std::string_view> &&
    requires(const Range& range) {
    { *std::begin(range) } -> std::convertible_to<argument>;
    std::end(range);
};

/// A program and its arguments: a list `{"ls", "-l"}`, any range of strings or paths, or one string
/// or path. On POSIX one string is the name of a program, spaces and all, unless `shell` is set:
/// then it is a script. On Windows one string is the whole command line, as the program gets it.
/// Python: the parameter `args`.
class command {
public:
    command(std::initializer_list<argument> arguments)
        : command(arguments.begin(), arguments.end()) {}
    template <argument_range Range>
    command(const Range& arguments) : command(std::begin(arguments), std::end(arguments)) {}
    command(const char* text) : arguments_{text}, form_(form::text) {}
    command(std::string text) : form_(form::text) { arguments_.push_back(std::move(text)); }
    command(std::string_view text) : command(std::string(text)) {}
    template <path_like Path>
    command(const Path& path) : arguments_{path_text(path)}, form_(form::path) {}

    /// The words, the program first; exactly one if it was given as one string or path.
    const std::vector<std::string>& arguments() const noexcept { return arguments_; }
    /// Whether it was given as one string or path.
    bool is_text() const noexcept { return form_ != form::list; }
    /// Whether it was given as one path.
    bool is_path() const noexcept { return form_ == form::path; }
    /// As Python prints it: `['ls', '-l']`, or the string itself.
    std::string text() const {
        return is_text() ? arguments_.front() : detail::quoted_list(arguments_);
    }

private:
    enum class form { list, text, path };

    template <class Iterator, class Sentinel>
    command(Iterator first, Sentinel last) {
        for (; first != last; ++first)
            arguments_.push_back(argument(*first).text());
    }

    std::vector<std::string> arguments_;
    form form_ = form::list;
};

/// Pairs of strings, such as a map's.
template <class Range>
concept variable_range = requires(const Range& range) {
    { std::begin(range)->first } -> std::convertible_to<std::string_view>;
    { std::begin(range)->second } -> std::convertible_to<std::string_view>;
    std::end(range);
};

/// The environment of a program: `{{"LANG", "C"}}`, or a map. It replaces the one of this process;
/// `{}` is really empty. Of several variables of one name the last counts. To add to what is there:
/// `environment::current().set("LANG", "C")`. Python: the parameter `env`.
class environment {
public:
    environment(std::initializer_list<std::pair<std::string, std::string>> variables)
        : variables_(variables) {}
    template <variable_range Map>
    environment(const Map& variables) {
        for (const auto& [name, value] : variables)
            variables_.emplace_back(std::string_view(name), std::string_view(value));
    }

    /// Whatever this process has when the program starts. Python: None.
    static environment inherited() {
        environment result{};
        result.inherited_ = true;
        return result;
    }
    /// A copy of what this process has now. Python: `os.environ.copy()`.
    static environment current() {
        environment result{};
        for (const std::string& entry : detail::current_environment()) {
            const auto end = entry.find('=');
            if (end != 0 && end != entry.npos)  // Others cannot be handed on by name.
                result.variables_.emplace_back(entry.substr(0, end), entry.substr(end + 1));
        }
        return result;
    }

    /// Adds a variable or changes it. Of `inherited()` it leaves nothing else: begin with
    /// `current()`.
    environment& set(std::string_view name, std::string_view value) {
        unset(name).variables_.emplace_back(name, value);
        inherited_ = false;
        return *this;
    }
    /// Takes a variable out, if it is there.
    environment& unset(std::string_view name) {
        detail::erase_if(variables_, [&](const auto& variable) {
            return detail::same_variable(variable.first, name, detail::command_rules_here);
        });
        return *this;
    }

    /// Whether it is `inherited()`.
    bool is_inherited() const noexcept { return inherited_; }
    /// The variables in the order they were given; none for `inherited()`.
    const detail::environment_variables& variables() const noexcept { return variables_; }

private:
    detail::environment_variables variables_;
    bool inherited_ = false;
};

/// Something else than a handle to connect a stream to; see `PIPE`, `DEVNULL` and `STDOUT`.
enum class special_stream { pipe, null, merge };

/// A new pipe, whose other end is the member of `Popen`. Python: `subprocess.PIPE`.
inline constexpr special_stream PIPE = special_stream::pipe;
/// Reads as empty, forgets what is written. Python: `subprocess.DEVNULL`.
inline constexpr special_stream DEVNULL = special_stream::null;
/// For `stderr_` only: wherever standard output goes. Python: `subprocess.STDOUT`.
inline constexpr special_stream STDOUT = special_stream::merge;

/// What a standard stream of a program is connected to: nothing given means the same as this
/// process'; else `PIPE`, `DEVNULL`, `STDOUT`, a descriptor, a `FILE*`, or an object with
/// `fileno()` such as another `Popen`'s `stdout_`. What is handed over stays open here. Flush a
/// `FILE*` before. Throws `ValueError` for a handle that cannot be one.
class redirection {
public:
    /// What it leads to.
    enum class kind { inherit, pipe, null, merge, handle };

    redirection() noexcept = default;
    redirection(special_stream stream) noexcept
        : kind_(stream == PIPE      ? kind::pipe
                : stream == DEVNULL ? kind::null
                                    : kind::merge) {}
    redirection(detail::native_handle handle) : kind_(kind::handle), handle_(handle) {
        if (handle == detail::no_handle)
            throw ValueError("a stream is redirected to an object that is not open");
    }
    redirection(std::FILE* file) : redirection(detail::file_handle(file)) {}
    template <class Stream>
    requires requires(const Stream& stream) {
        { stream.fileno() } -> std::convertible_to<detail::native_handle>;
    }
    redirection(const Stream& stream) : redirection(stream.fileno()) {}

    /// What it leads to.
    kind type() const noexcept { return kind_; }
    /// Whether it is anything but inherited.
    bool given() const noexcept { return kind_ != kind::inherit; }
    /// The handle, for `kind::handle`.
    detail::native_handle handle() const noexcept { return handle_; }

private:
    kind kind_ = kind::inherit;
    detail::native_handle handle_ = detail::no_handle;
};

// The numbers of Windows; the bare names are macros of <windows.h>.

/// Flags for `creationflags`. Python: `subprocess.CREATE_NO_WINDOW` and so on, without the last
/// underscore.
inline constexpr unsigned long DETACHED_PROCESS_ = 0x8;
inline constexpr unsigned long CREATE_NEW_CONSOLE_ = 0x10;
inline constexpr unsigned long CREATE_NEW_PROCESS_GROUP_ = 0x200;
inline constexpr unsigned long CREATE_BREAKAWAY_FROM_JOB_ = 0x1000000;
inline constexpr unsigned long CREATE_NO_WINDOW_ = 0x8000000;
/// For `STARTUPINFO::dwFlags`: `wShowWindow` counts.
inline constexpr unsigned long STARTF_USESHOWWINDOW_ = 1;
/// For `STARTUPINFO::wShowWindow`: no window.
inline constexpr unsigned short SW_HIDE_ = 0;
/// For `Popen::send_signal` to a program that was started with `CREATE_NEW_PROCESS_GROUP_`. Python:
/// `signal.CTRL_C_EVENT`, `signal.CTRL_BREAK_EVENT`.
inline constexpr int CTRL_C_EVENT_ = 0;
inline constexpr int CTRL_BREAK_EVENT_ = 1;

/// How a program of Windows is shown: `{.startupinfo = STARTUPINFO{STARTF_USESHOWWINDOW_,
/// SW_HIDE_}}` hides its first window. Python: `subprocess.STARTUPINFO`, whose handles are
/// `stdin_`, `stdout_`, `stderr_` and `pass_fds` here.
struct STARTUPINFO {
    unsigned long dwFlags = 0;
    unsigned short wShowWindow = 0;
};

/// Python's keyword arguments; to be given in this order. `capture_output`, `check` and `input` are
/// for `run` (`input` also for `check_output`), `timeout` for `run`, `call`, `check_call` and
/// `check_output`; elsewhere they are refused with `ValueError`. Python's `preexec_fn`, `user`,
/// `group` and `extra_groups` do not exist: the program is started in this process' memory, where
/// neither foreign code nor less trusted identities belong. There is no text mode: bytes are bytes.
struct options {
    /// The program to run in place of the first argument, which is then only its name; with `shell`
    /// the shell to use.
    argument executable = {};
    /// What the program's streams are connected to; this process' own if not given.
    redirection stdin_ = {};
    /// Where it is this process' own, what C's and C++'s standard streams hold is written out
    /// before the program starts, so that the lines come in order; Python leaves that to the
    /// caller.
    redirection stdout_ = {};
    redirection stderr_ = {};
    /// Whether handles other than the streams and `pass_fds` are closed in the program. Where not,
    /// it inherits those of this process that are marked for it.
    bool close_fds = true;
    /// Runs the command as a script of /bin/sh; further arguments become $0, $1 and so on.
    bool shell = false;
    /// The directory to start in. A relative path of a program counts from there; on Windows, which
    /// looks for the program before, from this process' own directory.
    argument cwd = {};
    /// The program's variables. (POSIX) Also its PATH is used to find it.
    environment env = environment::inherited();
    /// How its first window is shown. Windows only.
    std::optional<STARTUPINFO> startupinfo = {};
    /// Such as `CREATE_NO_WINDOW_`. Windows only.
    unsigned long creationflags = 0;
    /// Gives the program SIGPIPE and SIGXFSZ as the system delivers them. No signal is blocked in
    /// it, whatever the thread blocks that starts it: `terminate` must reach it. In Python the
    /// thread's mask is passed on.
    bool restore_signals = true;
    /// Makes the program the leader of a new session, and so of a process group.
    bool start_new_session = false;
    /// Handles that stay open in the program under the same number; imply `close_fds`.
    std::vector<detail::native_handle> pass_fds = {};
    /// The bits that files it makes do not get; nothing means those of this process.
    std::optional<int> umask = {};
    /// How much a pipe holds, in bytes; the system may round up. Linux only.
    std::optional<std::size_t> pipesize = {};
    /// The process group to join; 0 for one of its own.
    std::optional<int> process_group = {};
    /// Kills the program when this process ends, whatever ends it. Not in Python, whose programs
    /// live on.
    bool die_with_parent = false;
    /// Collects both streams; contradicts `stdout_` and `stderr_`.
    bool capture_output = false;
    /// Throws `CalledProcessError` if the exit status is not 0.
    bool check = false;
    /// When to kill the program and throw `TimeoutExpired`.
    multiprocessing::timeout timeout = {};
    /// What the program reads; contradicts `stdin_`.
    std::optional<std::string> input = {};
};

}  // namespace multiprocessing::subprocess
