// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace app {

/// Crosses by its text.
struct parse_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct deeper_error : parse_error {
    using parse_error::parse_error;
};

/// Crosses by its values.
class disk_error : public std::exception {
public:
    disk_error() = default;
    disk_error(std::string disk, int sector) : disk_(std::move(disk)), sector_(sector) {}
    const char* what() const noexcept override { return "the disk is broken"; }
    const std::string& disk() const noexcept { return disk_; }
    int sector() const noexcept { return sector_; }

    template <class Archive>
    void serialize(Archive& archive) {
        archive(disk_, sector_);
        if (sector_ == -1)
            throw std::length_error("cannot cross");
    }

private:
    std::string disk_;
    int sector_ = 0;
};

/// No std::exception at all.
struct signal {
    int number = 0;
    std::vector<std::string> words;
};

struct stranger : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace app

MULTIPROCESSING_REGISTER_EXCEPTION(app::parse_error);
MULTIPROCESSING_REGISTER_EXCEPTION(app::disk_error);
MULTIPROCESSING_REGISTER_EXCEPTION(app::signal);

namespace {

void throw_parse_error() {
    throw app::parse_error("line 7");
}
void throw_deeper_error() {
    throw app::deeper_error("line 8");
}
void throw_disk_error(int sector) {
    throw app::disk_error("sda", sector);
}
void throw_signal() {
    throw app::signal{3, {"a", "b"}};
}
void throw_stranger() {
    throw app::stranger("who");
}

}  // namespace

TEST_CASE("pool: exceptions of registered types arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply(throw_parse_error), app::parse_error);
    CHECK_THROWS_WITH(pool.apply(throw_parse_error), "line 7");
    try {
        pool.apply(throw_disk_error, mp::args(12));
        FAIL("nothing was thrown");
    } catch (const app::disk_error& error) {
        CHECK(error.disk() == "sda");
        CHECK(error.sector() == 12);
    }
    try {
        pool.apply(throw_signal);
        FAIL("nothing was thrown");
    } catch (const app::signal& error) {
        CHECK(error.number == 3);
        CHECK(error.words == std::vector<std::string>{"a", "b"});
    }
}

TEST_CASE("pool: exceptions of other types, also of derived ones, arrive by name and text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto record_of = [&](void (*function)()) {
        try {
            pool.apply(function);
        } catch (const mp::RemoteError& error) {
            return error.type() + ": " + error.text();
        }
        return std::string();
    };
    CHECK(record_of(throw_deeper_error) == "app::deeper_error: line 8");
    CHECK(record_of(throw_stranger) == "app::stranger: who");
}

TEST_CASE("pool: a registered exception that cannot be written arrives by name and text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    try {
        pool.apply(throw_disk_error, mp::args(-1));
        FAIL("nothing was thrown");
    } catch (const mp::RemoteError& error) {
        CHECK(error.type() == "app::disk_error");
        CHECK(error.text() == "the disk is broken");
    }
    CHECK(pool.apply([] { return 1; }) == 1);
}
