// SPDX-License-Identifier: MIT
// External programs with their input and output under control, as Python's subprocess.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <multiprocessing/detail/command_line.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/pipe.hpp>
#include <multiprocessing/detail/subprocess_child.hpp>
#include <multiprocessing/detail/subprocess_error.hpp>
#include <multiprocessing/detail/subprocess_launch.hpp>
#include <multiprocessing/detail/subprocess_options.hpp>
#include <multiprocessing/detail/subprocess_streams.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::subprocess {

/// What a program wrote to standard output and error; empty for what was not a pipe.
struct communication {
    std::string stdout_;
    std::string stderr_;
};

struct CompletedProcess;

/// A program that was started and may still run. `poll`, `wait`, `returncode`, `send_signal`,
/// `terminate` and `kill` may be called by several threads at once, the rest by one.
///
/// The destructor closes the pipes and does not wait. A program that still runs then goes on, and
/// is reaped when a later one is started: call `wait` or `communicate` where Python has `with`.
/// Python: `subprocess.Popen`.
class Popen {
public:
    /// Starts the program. Throws `ValueError` for options that contradict each other, NUL in a
    /// text and an empty command; `std::system_error` naming the program, or `cwd`, where the
    /// system cannot start it. In both cases nothing is left behind.
    explicit Popen(command args, const options& how = {}) : args_(std::move(args)) {
        start(how);
        stdin_.share_with_forks();
        stdout_.share_with_forks();
        stderr_.share_with_forks();
    }
    /// The same for `{"ls"}`, which would be ambiguous without.
    explicit Popen(std::initializer_list<argument> args, const options& how = {})
        : Popen(command(args), how) {}

    /// This process' ends of the streams that were asked to be a `PIPE`.
    pipe_writer stdin_;
    pipe_reader stdout_;
    pipe_reader stderr_;

    /// As it was given to the constructor.
    const command& args() const noexcept { return args_; }
    /// The number of the process; also after its end.
    int pid() const noexcept { return child_->pid(); }
    /// How it ended: the exit status, or minus the signal. Empty until `poll`, `wait` or
    /// `communicate` has seen the end. See `unknown_returncode`.
    std::optional<int> returncode() const { return child_->returncode(); }

    /// The return code, or nothing while it runs. Never blocks, also while another thread waits.
    std::optional<int> poll() { return child_->poll(); }

    /// Waits for the end and returns the return code, at once when called again. Throws
    /// `TimeoutExpired`. A program whose pipes nobody reads may never end: `communicate` reads.
    int wait(const timeout& limit = {}) {
        if (const auto code = child_->wait(detail::deadline::after(limit)))
            return *code;
        throw TimeoutExpired(args_, *limit);
    }

    /// Writes `input` to standard input, closes it, reads both outputs to their end and waits for
    /// the program. `auto [out, err] = p.communicate("...");` Each is empty if it is not a pipe.
    ///
    /// Throws `TimeoutExpired` with what has come by then; call it again, without input, to go on
    /// and get everything. A program that does not read its input is no error. Throws `ValueError`
    /// for input without a pipe for it. Output is handed over once: after the end, unlike in
    /// Python, another call returns empty texts. Who inherited the program's pipes and lives on
    /// keeps this waiting, as in Python.
    communication communicate(std::optional<std::string_view> input = {},
                              const timeout& limit = {}) {
        const auto until = detail::deadline::after(limit);
        const bool complete =
            exchange(input.value_or(std::string_view()), until) && child_->wait(until);
        if (!complete)
            throw TimeoutExpired(args_, *limit, received_.stdout_, received_.stderr_);
        return std::exchange(received_, {});
    }

    /// Sends a signal; on Windows SIGTERM, SIGINT, 9, `CTRL_C_EVENT_` or `CTRL_BREAK_EVENT_`,
    /// others are a `ValueError`. Nothing happens to a program that has ended, nor to another one
    /// that got its number. Throws `std::system_error` if it may not be signalled.
    void send_signal(int signal) { child_->signal(signal); }
    /// Asks it to end (SIGTERM). On Windows ends it, with return code -15; Python's is 1 there.
    void terminate() { send_signal(detail::child_process::terminate_signal); }
    /// Ends it at once (SIGKILL); return code -9, also on Windows.
    void kill() { send_signal(detail::child_process::kill_signal); }

private:
    friend CompletedProcess run(command args, options how);
    friend int call(command args, options how);

    /// One that no other part of the program can see: forks of this process do not get its pipes.
    struct unseen {};
    Popen(unseen, command args, const options& how) : args_(std::move(args)) { start(how); }

    void start(const options& how) {
        if (how.capture_output || how.check || how.timeout || how.input)
            throw ValueError("Popen takes no capture_output, check, timeout or input: run does");
        detail::dropped_children::instance().reap();
        detail::child_process child;
        auto pipes = detail::launch(args_, how, child);
        child_ = std::make_unique<detail::subprocess_child>(std::move(child));
        stdin_ = pipe_writer(std::move(pipes[0]));
        stdout_ = pipe_reader(std::move(pipes[1]));
        stderr_ = pipe_reader(std::move(pipes[2]));
    }

    void check_input(std::string_view input) const {
        if (input.empty())
            return;
        if (communicating_)
            throw ValueError("Cannot send input after starting communication");
        stdin_.fileno();  // Throws where there is no pipe for it.
    }

    /// Feeds and drains; returns whether everything has ended.
    bool exchange(std::string_view input, const detail::deadline& until) {
        check_input(input);
        if (communicating_)
            input = pending_input_;
        communicating_ = true;
        detail::pipe_exchange pipes;
        if (!stdin_.closed())
            detail::throw_if_error(pipes.feed(stdin_.pipe_, input, unfinished_input_),
                                   "write to a program");
        drain(pipes, stdout_, received_.stdout_);
        drain(pipes, stderr_, received_.stderr_);
        bool done = false;
        detail::throw_if_error(pipes.run(until, done), "communicate with a program");
        pending_input_ = done ? std::string() : std::string(pipes.unsent());
        return done;
    }

    static void drain(detail::pipe_exchange& pipes, pipe_reader& from, std::string& into) {
        if (from.closed())
            return;
        into += std::exchange(from.held_, {});
        detail::throw_if_error(pipes.drain(from.pipe_, into), "read from a program");
    }

    command args_;
    std::unique_ptr<detail::subprocess_child> child_;
    communication received_;
    std::string pending_input_;
    detail::pipe_exchange::unfinished unfinished_input_;
    bool communicating_ = false;
};

/// A program that has ended. Python: `CompletedProcess`.
struct CompletedProcess {
    command args;
    /// The exit status, or minus the signal; see `unknown_returncode`.
    int returncode = 0;
    /// What was collected; empty for what was not a pipe.
    std::string stdout_ = {};
    std::string stderr_ = {};

    /// Throws `CalledProcessError` if `returncode` is not 0.
    void check_returncode() const {
        if (returncode != 0)
            throw CalledProcessError(returncode, args, stdout_, stderr_);
    }
};

}  // namespace multiprocessing::subprocess

namespace multiprocessing::detail {

/// Turns `input` and `capture_output` into streams.
inline void apply_run_options(subprocess::options& how) {
    if (how.input && how.stdin_.given())
        throw ValueError("stdin and input arguments may not both be used.");
    if (how.input)
        how.stdin_ = subprocess::PIPE;
    if (!how.capture_output)
        return;
    if (how.stdout_.given() || how.stderr_.given())
        throw ValueError("stdout and stderr arguments may not be used with capture_output.");
    how.stdout_ = how.stderr_ = subprocess::PIPE;
    how.capture_output = false;
}

/// Does `work` on a program; if that throws, ends the program first, without waiting for others who
/// hold its pipes.
template <class Work>
auto or_kill(subprocess::Popen& process, Work work) {
    try {
        return work();
    } catch (...) {
        process.kill();
        process.wait();
        throw_again();
    }
}

}  // namespace multiprocessing::detail

namespace multiprocessing::subprocess {

/// Runs a program to its end and returns what came of it. Throws `TimeoutExpired`, with what had
/// come by then, after killing it; `CalledProcessError` if `check` is set and it fails; else as
/// `Popen` and `communicate` do. Python: `subprocess.run`.
inline CompletedProcess run(command args, options how = {}) {
    detail::apply_run_options(how);
    const auto input = std::exchange(how.input, std::nullopt);
    const auto limit = std::exchange(how.timeout, std::nullopt);
    const bool check = std::exchange(how.check, false);
    Popen process(Popen::unseen(), std::move(args), how);
    auto [out, err] = detail::or_kill(process, [&] { return process.communicate(input, limit); });
    CompletedProcess result{process.args(), *process.returncode(), std::move(out), std::move(err)};
    if (check)
        result.check_returncode();
    return result;
}

/// Runs a program to its end and returns the exit status, or minus the signal. Kills it and throws
/// `TimeoutExpired` where that takes too long. A `PIPE` makes no sense here: nobody reads it.
/// Python: `subprocess.call`.
inline int call(command args, options how = {}) {
    const auto limit = std::exchange(how.timeout, std::nullopt);
    Popen process(Popen::unseen(), std::move(args), how);
    return detail::or_kill(process, [&] { return process.wait(limit); });
}

/// As `call`, but throws `CalledProcessError` unless the exit status is 0, which it returns.
/// Python: `subprocess.check_call`.
inline int check_call(const command& args, options how = {}) {
    const int returncode = call(args, std::move(how));
    if (returncode != 0)
        throw CalledProcessError(returncode, args);
    return returncode;
}

/// Runs a program and returns what it writes to standard output. Throws `CalledProcessError`, with
/// that, unless the exit status is 0. Python: `subprocess.check_output`.
inline std::string check_output(command args, options how = {}) {
    if (how.stdout_.given() || how.check)
        throw ValueError("stdout and check arguments are not allowed, they are what this does.");
    how.stdout_ = PIPE;
    how.check = true;
    return run(std::move(args), std::move(how)).stdout_;
}

/// Runs a script in the shell; returns how it ended and what it wrote to both outputs, as text
/// whose lines end by '\n' on every system, without the last newline. Python:
/// `subprocess.getstatusoutput`.
inline std::pair<int, std::string> getstatusoutput(std::string_view script) {
    auto result = run(script, {.stdout_ = PIPE, .stderr_ = STDOUT, .shell = true});
    std::string text = detail::text_lines(std::move(result.stdout_), detail::command_rules_here);
    if (text.ends_with('\n'))
        text.pop_back();
    return {result.returncode, std::move(text)};
}

/// The same without how it ended. Python: `subprocess.getoutput`.
inline std::string getoutput(std::string_view script) {
    return getstatusoutput(script).second;
}

/// A command line for Windows, quoted so that Microsoft's C runtime reads the same arguments back.
/// Python: `subprocess.list2cmdline`.
inline std::string list2cmdline(const command& args) {
    return detail::windows_command_line(args.arguments());
}

}  // namespace multiprocessing::subprocess
