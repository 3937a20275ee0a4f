// SPDX-License-Identifier: MIT
// Start method spawn: this program is started again and finds its job where main begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/first_use.hpp>
#include <multiprocessing/detail/os/child.hpp>
#include <multiprocessing/detail/os/image.hpp>
#include <multiprocessing/detail/os/memory.hpp>
#include <multiprocessing/detail/os/system.hpp>
#include <multiprocessing/error.hpp>
#include <multiprocessing/reduction.hpp>

namespace multiprocessing {

namespace detail {

/// What a spawned child does: reads its job from the message and returns its exit status.
using spawn_thunk = int (*)(decoder& job);

/// What can be read of any job, also of another build's.
struct spawn_stamp {
    std::uint64_t magic = 0;
    std::uint64_t fingerprint = 0;
};

/// The first value in a job; what follows is the thunk's.
struct spawn_header {
    spawn_stamp stamp;
    std::uint64_t thunk_image = 0;
    std::uint64_t thunk_offset = 0;
    std::vector<std::uint64_t> handles;
};

// Written out: everybody who includes this header would pay for what the codec finds out by itself.
template <>
struct codec<spawn_header> {
    static constexpr std::size_t min_bytes = sizeof(spawn_stamp) + 3 * sizeof(std::uint64_t);

    static void size(sizer& sizes, const spawn_header& header) {
        sizes.add(min_bytes + header.handles.size() * sizeof(std::uint64_t));
    }
    static void write(writer& out, const spawn_header& header) {
        out.put_value(header.stamp);
        out.put_value(header.thunk_image);
        out.put_value(header.thunk_offset);
        out.put_value(std::uint64_t{header.handles.size()});
        for (const std::uint64_t object : header.handles)
            out.put_value(object);
    }
    static spawn_header read(decoder& in) {
        spawn_header header{in.take_value<spawn_stamp>(), in.take_value<std::uint64_t>(),
                            in.take_value<std::uint64_t>(), {}};
        header.handles.resize(in.take_count<std::uint64_t, sizeof(std::uint64_t)>());
        for (std::uint64_t& object : header.handles)
            object = in.take_value<std::uint64_t>();
        return header;
    }
};

inline constexpr std::uint64_t spawn_magic = 0x316e776170733a6dU;
inline constexpr std::string_view spawn_option = "--multiprocessing-spawn";

inline bool& freeze_support_called() noexcept {
    static bool called = false;
    return called;
}

inline constexpr const char* freeze_support_idiom =
    "a process cannot be started here before main has called freeze_support: a child that is "
    "spawned runs this program again from its beginning, and must find its work there. Make it the "
    "first line: int main(int argc, char** argv) { multiprocessing::freeze_support(argc, argv); "
    "...";

/// The name by which the user started this program; empty until `freeze_support`.
inline std::string& program_name() {
    static constinit first_use<std::string> name;
    return name.get([] { return std::string(); });
}

/// A spawned child in which main, or an initialiser before it, starts processes of its own instead
/// of the work it is there for.
inline bool is_lost_spawned_child() {
    static constinit first_use<bool> spawned;
    return !freeze_support_called() && spawned.get([] {
        const auto arguments = own_arguments();
        return arguments.size() == 3 && arguments[1] == spawn_option;
    });
}

inline void require_freeze_support(bool for_spawn) {
    if ((for_spawn && !freeze_support_called()) || is_lost_spawned_child())
        throw ProcessError(freeze_support_idiom);
}

/// A job in a block of shared memory, which the child inherits; nobody has to be there to write it.
inline void write_job(shared_block& block, std::span<const std::byte> header,
                      std::span<const std::byte> payload) {
    const std::size_t bytes = header.size() + payload.size();
    throw_if_error(shared_block::create(block, bytes), "create shared memory for a spawned job");
    mapping view;
    throw_if_error(block.map(view, 0, bytes), "map shared memory for a spawned job");
    std::memcpy(view.data(), header.data(), header.size());
    if (!payload.empty())
        std::memcpy(view.data() + header.size(), payload.data(), payload.size());
}

inline launch_plan plan_spawn(const shared_block& job, std::size_t bytes,
                              const std::vector<native_handle>& handles, bool tied) {
    launch_plan plan;
    plan.candidates = own_program();
    plan.arguments = {program_name(), std::string(spawn_option),
                      std::to_string(job.native()) + ":" + std::to_string(bytes)};
    plan.inherited = handles;
    plan.inherited.push_back(job.native());
    plan.tied = tied;
    return plan;
}

/// Starts this program again to run `thunk` on `payload`. Throws `std::system_error`.
inline void spawn(child_process& child, code_address thunk, std::span<const std::byte> payload,
                  const std::vector<native_handle>& handles, bool tied) {
    const image_place place = place_of_thunk(thunk);
    spawn_header header{{spawn_magic, program_fingerprint()}, place.image, place.offset, {}};
    for (const native_handle object : handles)
        header.handles.push_back(static_cast<std::uint64_t>(object));
    const auto head = encode(header);
    shared_block job;
    write_job(job, head, payload);
    const auto plan = plan_spawn(job, head.size() + payload.size(), handles, tied);
    launch_step step{};
    if (const auto ec = child_process::exec(child, plan, step))
        throw_system_error(ec, "start '" + plan.arguments.front() + "' again as a child");
}

/// Takes over the handles that the header names, in their order.
inline std::vector<handle> adopt_handles(const spawn_header& header) {
    std::vector<handle> handles(header.handles.size());
    for (std::size_t i = 0; i < handles.size(); ++i)
        throw_if_error(adopt(static_cast<native_handle>(header.handles[i]), handles[i]),
                       "take over a handle from the parent");
    return handles;
}

inline void check_stamp(const spawn_stamp& stamp) {
    if (stamp.magic != spawn_magic)
        throw PicklingError("what was handed over is not a job of multiprocessing");
    if (stamp.fingerprint != program_fingerprint())
        throw PicklingError("parent and child are not the same build of the program; its file was "
                            "replaced while it ran");
}

inline int run_job(std::span<const std::byte> bytes) {
    check_stamp(decoder(bytes).take_value<spawn_stamp>());
    decoder job(bytes);
    const auto header = job.read<spawn_header>();
    const code_address thunk = thunk_at({header.thunk_image, header.thunk_offset});
    const handle_inbox inbox(adopt_handles(header));
    return reinterpret_cast<spawn_thunk>(const_cast<void*>(thunk))(job);
}

/// The whole text as a decimal number. Not by <charconv>, which takes a compiler 0.03 s a file more
/// (GCC 12), as much as a tenth of what these headers take.
inline bool parse_number(const std::string& text, std::uint64_t& number) noexcept {
    if (text.empty() || text.find_first_not_of("0123456789") != text.npos || text.size() > 19)
        return false;  // A number of 19 digits always fits.
    number = std::strtoull(text.c_str(), nullptr, 10);
    return true;
}

struct job_place {
    native_handle object = no_handle;
    std::size_t bytes = 0;
};

/// Reads "handle:bytes".
inline job_place parse_job_place(std::string_view text) {
    const auto colon = text.find(':');
    job_place place;
    std::uint64_t object = 0;
    std::uint64_t bytes = 0;
    const bool numbers = colon != text.npos &&
                         parse_number(std::string(text.substr(0, colon)), object) &&
                         parse_number(std::string(text.substr(colon + 1)), bytes);
    place.bytes = static_cast<std::size_t>(bytes);
    place.object = static_cast<native_handle>(object);
    if (!numbers || static_cast<std::uint64_t>(place.object) != object)
        throw PicklingError("'" + std::string(text) + "' names no job; " +
                            std::string(spawn_option) + " is for children that the library starts");
    return place;
}

/// A view of the job that `text` names; the handle is not kept.
inline mapping open_job(std::string_view text) {
    const job_place place = parse_job_place(text);
    handle owner;
    throw_if_error(adopt(place.object, owner),
                   "open the job '" + std::string(text) + "'; it is for children only");
    const shared_block block(std::move(owner));
    std::uint64_t held = 0;
    throw_if_error(block.size(held), "measure the job of a spawned child");
    if (place.bytes == 0 || held < place.bytes)  // To read past its end would be a signal.
        throw PicklingError("the job '" + std::string(text) +
                            "' of a spawned child is cut short: " + std::to_string(held) +
                            " bytes are there");
    mapping view;
    throw_if_error(block.map(view, 0, place.bytes), "map the job of a spawned child");
    return view;
}

/// The child's whole life: runs the job that `text` names.
inline int run_spawned(std::string_view text) {
    const mapping view = open_job(text);
    return run_job({view.data(), view.size()});
}

/// Where main begins. `options` are the words after the program's name; in a spawned child, which
/// has two, this does not return.
inline void begin_main(std::string name, const std::vector<std::string_view>& options) {
    freeze_support_called() = true;
    program_name() = std::move(name);
    if (options.size() != 2 || options[0] != spawn_option)
        return;
    stop_inheritance();
    int status = 1;
    try {
        status = run_spawned(options[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "multiprocessing: a spawned child cannot run: %s\n", error.what());
    }
    std::exit(status);
}

}  // namespace detail

/// Must be the first line of `main` in a program that starts processes by `spawn`: Windows always
/// does, POSIX where it is asked to. In the program that the user started it does nothing. In a
/// child that the library spawned it does the child's work and ends the process, so what follows it
/// in `main` runs in the parent only; the child's exit handlers run, as `std::exit` runs them.
/// Python: `multiprocessing.freeze_support` together with `if __name__ == '__main__'`.
inline void freeze_support(int argc, char** argv) {
    if (argc > 0)
        detail::begin_main(detail::own_name(argv[0]), {argv + 1, argv + argc});
    else
        detail::begin_main({}, {});
}

/// The same for a main that is given nothing, or something else: WinMain, wmain.
inline void freeze_support() {
    const auto words = detail::own_arguments();
    if (words.empty())
        detail::begin_main({}, {});
    else
        detail::begin_main(words.front(), {words.begin() + 1, words.end()});
}

}  // namespace multiprocessing
