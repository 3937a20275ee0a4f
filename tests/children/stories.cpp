// SPDX-License-Identifier: MIT
// A program with children, for what can only be seen from outside: output, and the end of a parent.
#include <multiprocessing/context.hpp>
#include <multiprocessing/futures.hpp>
#include <multiprocessing/process.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>

#include "../support/gate.hpp"
#include "../support/processes.hpp"

#include <fcntl.h>
#if defined(MULTIPROCESSING_POSIX)
#include <unistd.h>
#else
#include <io.h>
#endif

namespace mp = multiprocessing;

namespace {

struct custom_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

#if defined(MULTIPROCESSING_POSIX)
int copy_of_output() {
    return ::fcntl(1, F_DUPFD_CLOEXEC, 10);
}
int open_unwritable() {
    return ::open("/dev/full", O_WRONLY | O_CLOEXEC);
}
#else
int copy_of_output() {
    return ::dup(1);
}
// Windows has no device that is always full; one that is open for reading refuses as well.
int open_unwritable() {
    return ::open("NUL", O_RDONLY);
}
#endif

void tell_exitcode(int log, mp::Process& p) {
    const std::string line = "exitcode " + std::to_string(*p.exitcode()) + "\n";
    static_cast<void>(!::write(log, line.data(), static_cast<unsigned>(line.size())));
}
void say_and_run_for_ever(mp::detail::handle to) {
    support::say(to, ".");
    support::run_for_ever();
}
void write_everywhere() {
    std::printf("child C\n");
    std::cout << "child C++\n";
    std::fprintf(stderr, "child C error\n");
    std::clog << "child C++ log\n";
}
void write_and_throw() {
    write_everywhere();
    throw custom_error("it broke");
}
void throw_number() {
    throw 42;
}
void throw_bad_alloc() {
    throw std::bad_alloc();
}
void write_and_exit() {
    write_everywhere();
    std::atexit([] { std::printf("child's handler\n"); });
    std::exit(4);
}
void add_handler() {
    std::atexit([] { std::printf("child's handler\n"); });
}
void wait_then_write(mp::detail::handle from) {
    support::wait_for_end(from);
    std::printf("child done\n");
}
void read_input() {
    std::string line;
    std::printf(std::getline(std::cin, line) ? "child read %s\n" : "child read nothing%s\n",
                line.c_str());
}
void outlive() {
    auto maker = mp::parent_process();
    std::printf("child outlived: %s\n",
                maker->join() && !maker->is_alive() ? "parent is gone" : "parent lives");
}
void start_family(std::string method, mp::detail::handle to) {
    mp::detail::handle copy;
    mp::detail::throw_if_error(mp::detail::duplicate(to.get(), copy), "duplicate");
    mp::Process p(say_and_run_for_ever, mp::args(std::move(copy)), {.start_method = method});
    p.start();
    support::say(to, ".");
    support::run_for_ever();
}

template <class... Ts>
mp::Process started(const std::string& method, Ts... work) {
    mp::Process p(std::move(work)..., {.start_method = method});
    p.start();
    return p;
}

void story_output(const std::string& method) {
    std::printf("parent C\n");
    std::cout << "parent C++\n";
    started(method, write_everywhere).join();
    std::printf("parent after\n");
}
void story_output_unsynced(const std::string& method) {
    std::ios::sync_with_stdio(false);
    story_output(method);
}
void story_throw(const std::string& method) {
    std::printf("parent C\n");
    auto p = started(method, write_and_throw);
    p.join();
    std::printf("exitcode %d\n", *p.exitcode());
}
void story_throw_number(const std::string& method) {
    auto p = started(method, throw_number);
    p.join();
    std::printf("exitcode %d\n", *p.exitcode());
}
void story_throw_bad_alloc(const std::string& method) {
    started(method, throw_bad_alloc).join();
}
void story_exit(const std::string& method) {
    struct loud {
        ~loud() { std::printf("static destroyed by %d\n", mp::os::getpid()); }
    };
    static loud object;
    std::atexit([] { std::printf("parent's handler in %d\n", mp::os::getpid()); });
    auto p = started(method, write_and_exit);
    p.join();
    std::printf("exitcode %d\n", *p.exitcode());
    started(method, add_handler).join();
}
void story_joined_at_exit(const std::string& method) {
    static support::gate gate;
    started(method, wait_then_write, mp::args(gate.reader()));
    std::printf("parent done\n");
    std::fflush(stdout);
    gate.open();
}
void story_daemon_ends_at_exit(const std::string& method) {
    support::gate gate;
    mp::Process p(say_and_run_for_ever, mp::args(gate.writer()),
                  {.daemon = true, .start_method = method});
    p.start();
    support::hear(gate.ends.reader);
    std::printf("parent done\n");
}
void ignore_termination(mp::detail::handle to) {
    std::signal(SIGTERM, SIG_IGN);
    say_and_run_for_ever(std::move(to));
}
void story_stubborn_daemon(const std::string& method) {
    support::gate gate;
    mp::Process p(ignore_termination, mp::args(gate.writer()),
                  {.daemon = true, .start_method = method});
    p.start();
    support::hear(gate.ends.reader);
    std::printf("parent done\n");
}
// Children that are started while the program ends: until that is refused, by a thread that the
// last of the exit handlers waits for.
void story_starts_while_ending(const std::string& method) {
    static std::thread starter;
    static support::gate gate;
    std::atexit([] { starter.join(); });  // Before the library's own: handlers run in reverse.
    starter = std::thread([method] {
        try {
            for (;;)
                mp::Process(say_and_run_for_ever, mp::args(gate.writer()),
                            {.daemon = true, .start_method = method})
                    .start();
        } catch (const mp::ProcessError& error) {
            std::printf("%s\n", error.what());
        }
    });
    support::hear(gate.ends.reader);
}
// An executor that nobody destroys, and work for it when its workers have been ended.
void story_submits_late(const std::string& method) {
    static mp::futures::ProcessPoolExecutor* executor = nullptr;
    std::atexit([] {  // Before the library's own: handlers run in reverse.
        try {
            executor->submit(add_handler).result();
            std::printf("done\n");
        } catch (const mp::ProcessError& error) {
            std::printf("refused: %s\n", error.what());
        }
    });
    executor = new mp::futures::ProcessPoolExecutor(1, {.start_method = method});
}
void story_killed(const std::string& method) {
    support::gate gate;
    started(method, start_family, mp::args(method, gate.writer()));
    for (int heard = 0; heard < 2;)
        heard += static_cast<int>(support::hear(gate.ends.reader).size());
    support::die_of(support::kill_signal);
}
void story_waits_to_be_killed(const std::string& method) {
    support::gate gate;
    started(method, start_family, mp::args(method, gate.writer()));
    for (int heard = 0; heard < 2;)
        heard += static_cast<int>(support::hear(gate.ends.reader).size());
    std::printf("ready\n");
    std::fflush(stdout);
    support::run_for_ever();
}
void story_short_thread(const std::string& method) {
    support::gate gate;
    std::optional<mp::Process> p;
    std::thread([&] {
        p = started(method, support::wait_for_end, mp::args(gate.reader()));
    }).join();
    p->join(std::chrono::milliseconds(50));
    std::printf(p->is_alive() ? "child lives on\n" : "child died with the thread\n");
    gate.open();
    p->join();
    std::printf("exitcode %d\n", *p->exitcode());
}
void story_outlive(const std::string& method) {
    mp::Process p(outlive, {.start_method = method, .outlive_parent = true});
    p.start();
}
void story_input(const std::string& method) {
    started(method, read_input).join();
}
void story_no_streams(const std::string& method) {
    const int log = copy_of_output();
    ::close(0);
    ::close(1);
    ::close(2);
    auto p = started(method, write_everywhere);
    p.join();
    tell_exitcode(log, p);
}
void story_full(const std::string& method) {
    const int log = copy_of_output();
    ::dup2(open_unwritable(), 1);
    std::cout.exceptions(std::ios::badbit);
    std::printf("lost");
    auto p = started(method, write_everywhere);
    p.join();
    tell_exitcode(log, p);
}
void story_chosen(const std::string& method) {
    mp::set_start_method(method);
    mp::Process p(+[] {
        std::printf("child has %s\n", mp::get_start_method(true).value_or("none").c_str());
    });
    p.start();
    p.join();
}

const std::map<std::string, void (*)(const std::string&)> stories{
    {"output", story_output},
    {"output_unsynced", story_output_unsynced},
    {"throw", story_throw},
    {"throw_number", story_throw_number},
    {"throw_bad_alloc", story_throw_bad_alloc},
    {"exit", story_exit},
    {"joined_at_exit", story_joined_at_exit},
    {"daemon_ends_at_exit", story_daemon_ends_at_exit},
    {"stubborn_daemon", story_stubborn_daemon},
    {"starts_while_ending", story_starts_while_ending},
    {"submits_late", story_submits_late},
    {"killed", story_killed},
    {"waits_to_be_killed", story_waits_to_be_killed},
    {"short_thread", story_short_thread},
    {"outlive", story_outlive},
    {"input", story_input},
    {"no_streams", story_no_streams},
    {"full", story_full},
    {"chosen", story_chosen},
};

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support(argc, argv);
    if (argc != 3 || stories.find(argv[1]) == stories.end())
        return 2;
    stories.at(argv[1])(argv[2]);
}
