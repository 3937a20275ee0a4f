// SPDX-License-Identifier: MIT
#include <multiprocessing/spawn.hpp>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <multiprocessing/process.hpp>

#include "support/catch.hpp"
#include "support/files.hpp"
#include "support/gate.hpp"
#include "support/leftovers.hpp"
#include "support/messages.hpp"
#include "support/run_program.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;
namespace mpd = multiprocessing::detail;
using support::contains;

namespace {

void say_plain(mpd::handle to) {
    support::say(to, "plain");
}
void call_other(mpd::handle to, void (*other)(mpd::handle)) {
    other(std::move(to));
}
struct adder {
    std::string word;
    std::vector<int> numbers;
    void operator()(mpd::handle to) const {
        support::say(to, word + std::to_string(numbers.size()));
    }
};
int say_thunk_ran(mpd::decoder&) {
    return 21;
}
int never_registered(mpd::decoder&) {
    return 22;
}

std::string heard_from(const auto& target, auto... arguments) {
    support::gate gate;
    mp::Process p(target, mp::args(gate.writer(), arguments...), {.start_method = "spawn"});
    p.start();
    gate.ends.writer.reset();
    const std::string words = support::hear(gate.ends.reader);
    p.join();
    CHECK(p.exitcode() == 0);
    return words;
}

support::program_result run_as_child(const std::string& place) {
    return support::run_program({mpd::own_program().front(), "--multiprocessing-spawn", place});
}

/// Starts this program as a spawned child on a job made here; what it says and its exit code.
support::program_result run_job(std::span<const std::byte> bytes, std::size_t claimed) {
    mpd::shared_block job;
    REQUIRE_FALSE(mpd::shared_block::create(job, bytes.size()));
    mpd::mapping view;
    REQUIRE_FALSE(job.map(view, 0, bytes.size()));
    std::memcpy(view.data(), bytes.data(), bytes.size());
    support::make_inherited(job.native());
    return run_as_child(std::to_string(job.native()) + ":" + std::to_string(claimed));
}

mpd::spawn_header header_for(mpd::code_address thunk) {
    const auto place = mpd::place_of_thunk(thunk);
    return {{mpd::spawn_magic, mpd::program_fingerprint()}, place.image, place.offset, {}};
}

support::program_result run_header(const mpd::spawn_header& header) {
    const auto bytes = mpd::encode(header);
    return run_job(bytes, bytes.size());
}

}  // namespace

TEST_CASE("spawn: functions, captureless lambdas and function objects cross") {
    const support::watchdog guard;
    const support::leftovers check;
    CHECK(heard_from(say_plain) == "plain");
    CHECK(heard_from([](mpd::handle to) { support::say(to, "lambda"); }) == "lambda");
    CHECK(heard_from(adder{"object", {1, 2, 3}}) == "object3");
    CHECK(heard_from(call_other, &say_plain) == "plain");
}

TEST_CASE("spawn: a job that names a thunk of this program is run") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto thunk = mpd::thunk_entry<&say_thunk_ran>::address();
    CHECK(run_header(header_for(thunk)).exitcode == 21);
}

TEST_CASE("spawn: a job of another build is refused") {
    const support::watchdog guard;
    const support::leftovers check;
    auto header = header_for(mpd::thunk_entry<&say_thunk_ran>::address());
    ++header.stamp.fingerprint;
    const auto result = run_header(header);
    CHECK(result.exitcode == 1);
    CHECK(contains(result.out, "not the same build"));
}

TEST_CASE("spawn: a job that names no registered thunk is refused") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto good = header_for(mpd::thunk_entry<&say_thunk_ran>::address());
    auto header = good;
    SECTION("another place in the code") {
        ++header.thunk_offset;
    }
    SECTION("a place outside of the code") {
        header.thunk_offset = ~std::uint64_t{0};
    }
    SECTION("an image that is not loaded") {
        ++header.thunk_image;
    }
    SECTION("a function that is no thunk") {
        header = header_for(mpd::address_of(&never_registered));
    }
    const auto result = run_header(header);
    CHECK(result.exitcode == 1);
    CHECK(contains(result.out, "not in this program's registry"));
}

TEST_CASE("spawn: a job that names handles that do not exist is refused") {
    const support::watchdog guard;
    const support::leftovers check;
    auto header = header_for(mpd::thunk_entry<&say_thunk_ran>::address());
    header.handles.push_back(static_cast<std::uint64_t>(support::never_opened()));
    const auto result = run_header(header);
    CHECK(result.exitcode == 1);
    CHECK(contains(result.out, "take over a handle"));
}

TEST_CASE("spawn: garbage and jobs that are cut short are errors, at every length") {
    const support::watchdog guard;
    const support::leftovers check;
    const auto whole = mpd::encode(header_for(mpd::thunk_entry<&say_thunk_ran>::address()));
    for (const std::size_t kept :
         {std::size_t{1}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
        const auto result = run_job(std::span(whole).first(kept), kept);
        CHECK(result.exitcode == 1);
        CHECK(contains(result.out, "a spawned child cannot run: "));
    }
    // Mapped beyond its end it would be a bus error.
    const auto beyond = run_job(whole, whole.size() + 100'000);
    CHECK(beyond.exitcode == 1);
    CHECK(contains(beyond.out, "is cut short"));
    const std::vector<std::byte> garbage(1000, std::byte{0xa5});
    CHECK(contains(run_job(garbage, garbage.size()).out, "not a job of multiprocessing"));
}

TEST_CASE("spawn: a user who gives the option by hand gets an error") {
    const support::watchdog guard;
    const support::leftovers check;
    const std::string place = GENERATE("", ":", "1", "x:1", "999:10", "1:10", "-1:10",
                                       "4294967297:10", "0:0", "3:99999999999999999999999");
    const auto result = run_as_child(place);
    CHECK(result.exitcode == 1);
    CHECK(contains(result.out, "a spawned child cannot run: "));
}
