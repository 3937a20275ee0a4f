// SPDX-License-Identifier: MIT
#include <multiprocessing/pool.hpp>

#include <any>
#include <cerrno>
#include <exception>
#include <filesystem>
#include <functional>
#include <ios>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <variant>
#include <vector>

#include "support/catch.hpp"
#include "support/leftovers.hpp"
#include "support/processes.hpp"
#include "support/start_methods.hpp"
#include "support/watchdog.hpp"

namespace mp = multiprocessing;

namespace app {

struct parse_error : std::runtime_error {
    parse_error() : std::runtime_error("line 7") {}
};

struct silent_error : std::exception {
    const char* what() const noexcept override { return nullptr; }
};

class unhappy : public std::error_category {
public:
    const char* name() const noexcept override { return "unhappy"; }
    std::string message(int) const override { return "not happy"; }
};

}  // namespace app

namespace {

template <class E>
void throw_with_text() {
    throw E("the text");
}

template <class E>
void throw_bare() {
    throw E();
}

/// Runs `function` in a worker and gives what it throws to `check` as an E.
template <class E, class F, class Check>
void expect(mp::Pool& pool, F function, Check check) {
    try {
        pool.apply(function);
        FAIL("nothing was thrown");
    } catch (const E& error) {
        check(error);
    }
}

template <class E>
void expect_text(mp::Pool& pool) {
    INFO(typeid(E).name());
    expect<E>(pool, throw_with_text<E>, [](const E& error) {
        CHECK(typeid(error) == typeid(E));
        CHECK(error.what() == std::string("the text"));
    });
}

template <class E>
void expect_bare(mp::Pool& pool) {
    INFO(typeid(E).name());
    expect<E>(pool, throw_bare<E>,
              [](const E& error) { CHECK(error.what() == std::string(E().what())); });
}

std::optional<int> throw_if_odd(int x) {
    if (x % 2 != 0)
        throw std::invalid_argument(std::to_string(x) + " is odd");
    return x;
}

/// Through a pointer that may change: optimizers make a loop of what they see through.
int throw_deep(int depth);
int (*volatile throw_deeper)(int) = throw_deep;

int throw_deep(int depth) {
    if (depth == 0)
        throw app::parse_error();
    return throw_deeper(depth - 1) + depth;
}

std::vector<std::string> stack_of(mp::Pool& pool, int depth) {
    try {
        pool.apply(throw_deep, mp::args(depth));
    } catch (const mp::RemoteError& error) {
        return error.stack();
    }
    FAIL("nothing was thrown");
    return {};
}

/// Its destructor throws in a worker, and nowhere else.
struct bad_end {
    int value = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(value);
    }

    bad_end() = default;
    explicit bad_end(int number) : value(number) {}
    bad_end(const bad_end&) = default;
    bad_end& operator=(const bad_end&) = default;
    ~bad_end() noexcept(false) {
        if (value == 13 && mp::current_process().name() != "MainProcess")
            throw std::logic_error("a bad end");
    }
};

}  // namespace

TEST_CASE("pool: standard exceptions with a text arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect_text<std::runtime_error>(pool);
    expect_text<std::logic_error>(pool);
    expect_text<std::invalid_argument>(pool);
    expect_text<std::domain_error>(pool);
    expect_text<std::length_error>(pool);
    expect_text<std::out_of_range>(pool);
    expect_text<std::range_error>(pool);
    expect_text<std::overflow_error>(pool);
    expect_text<std::underflow_error>(pool);
}

TEST_CASE("pool: standard exceptions without a text arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect_bare<std::exception>(pool);
    expect_bare<std::bad_alloc>(pool);
    expect_bare<std::bad_array_new_length>(pool);
    expect_bare<std::bad_cast>(pool);
    expect_bare<std::bad_any_cast>(pool);
    expect_bare<std::bad_typeid>(pool);
    expect_bare<std::bad_exception>(pool);
    expect_bare<std::bad_function_call>(pool);
    expect_bare<std::bad_optional_access>(pool);
    expect_bare<std::bad_variant_access>(pool);
    expect_bare<std::bad_weak_ptr>(pool);
}

TEST_CASE("pool: the library's exceptions arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect_text<mp::ProcessError>(pool);
    expect_text<mp::TimeoutError>(pool);
    expect_text<mp::AuthenticationError>(pool);
    expect_text<mp::Empty>(pool);
    expect_text<mp::Full>(pool);
    expect_text<mp::BrokenBarrierError>(pool);
    expect_text<mp::PicklingError>(pool);
    expect_text<mp::EOFError>(pool);
    expect_text<mp::ValueError>(pool);
}

TEST_CASE("pool: a system error keeps its code and its text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const std::system_error sample(ENOENT, std::system_category(), "open 'x'");
    expect<std::system_error>(
        pool, [] { throw std::system_error(ENOENT, std::system_category(), "open 'x'"); },
        [&](const std::system_error& error) {
            CHECK(error.code() == sample.code());
            CHECK(error.what() == std::string(sample.what()));
        });
    expect<std::system_error>(
        pool, [] { throw std::system_error(std::make_error_code(std::errc::timed_out)); },
        [](const std::system_error& error) { CHECK(error.code() == std::errc::timed_out); });
}

TEST_CASE("pool: a system error of the program's own category is not taken for another") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<std::system_error>(
        pool,
        [] {
            static const app::unhappy category;
            throw std::system_error(2, category);
        },
        [](const std::system_error& error) {
            CHECK(error.code().value() == 2);
            CHECK(error.code().category().name() == std::string("unhappy"));
            CHECK(error.code() != std::error_code(2, std::system_category()));
            CHECK(error.what() == std::string("not happy"));
        });
}

TEST_CASE("pool: errors of files and streams arrive as themselves") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<std::filesystem::filesystem_error>(
        pool, [] { return std::filesystem::file_size("/no such file"); },
        [](const std::filesystem::filesystem_error& error) {
            CHECK(error.code() == std::errc::no_such_file_or_directory);
            CHECK(std::string(error.what()).find("/no such file") != std::string::npos);
        });
    expect<std::ios_base::failure>(
        pool, [] { throw std::ios_base::failure("the stream"); },
        [](const std::ios_base::failure& error) {
            CHECK(error.code() == std::io_errc::stream);
            CHECK(error.what() == std::string(std::ios_base::failure("the stream").what()));
        });
}

TEST_CASE("pool: a type of the user's arrives by name and text") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<mp::RemoteError>(
        pool, [] { throw app::parse_error(); },
        [](const mp::RemoteError& error) {
            CHECK(error.type() == "app::parse_error");
            CHECK(error.text() == "line 7");
            CHECK(error.what() == std::string("app::parse_error: line 7"));
        });
    expect<mp::RemoteError>(
        pool, [] { throw mp::RemoteError("far::away", "text"); },
        [](const mp::RemoteError& error) { CHECK(error.type() == "far::away"); });
    expect<mp::RemoteError>(
        pool, [] { throw app::silent_error(); },
        [](const mp::RemoteError& error) { CHECK(error.text().empty()); });
}

TEST_CASE("pool: a type of the user's arrives with the stack of its throw") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    const auto flat = stack_of(pool, 0);
    REQUIRE_FALSE(flat.empty());
    CHECK(stack_of(pool, 20).size() == flat.size() + 20);
    expect<mp::RemoteError>(
        pool,
        [] {
            throw mp::RemoteError("far::away", "text", {"there", "further out"});
        },
        [](const mp::RemoteError& error) {
            CHECK(error.stack() == std::vector<std::string>{"there", "further out"});
        });
}

TEST_CASE("pool: what is no std::exception arrives as a RemoteError") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<mp::RemoteError>(
        pool, [] { throw 42; },
        [](const mp::RemoteError& error) {
            CHECK(error.text() == "an exception that is no std::exception");
        });
    CHECK(pool.apply([] { return 1; }) == 1);
}

TEST_CASE("pool: get throws the same each time, in each thread that asks") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto result = pool.apply_async(throw_if_odd, mp::args(3));
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_WITH(result.get(), "3 is odd");
    CHECK(result.ready());
    CHECK_FALSE(result.successful());
}

TEST_CASE("pool: a task that throws costs nothing but itself") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(2, {.start_method = EVERY_START_METHOD});
    const auto before = pool.worker_pids();
    std::vector<mp::AsyncResult<std::optional<int>>> results;
    for (int i = 0; i < 500; ++i)
        results.push_back(pool.apply_async(throw_if_odd, mp::args(i)));
    for (int i = 0; i < 500; ++i) {
        if (i % 2 == 0)
            CHECK(results[static_cast<std::size_t>(i)].get() == i);
        else
            CHECK_THROWS_AS(results[static_cast<std::size_t>(i)].get(), std::invalid_argument);
    }
    CHECK(pool.worker_pids() == before);
}

TEST_CASE("pool: an exception's text of a megabyte arrives whole") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<std::runtime_error>(
        pool, [] { throw std::runtime_error(std::string(1 << 20, 'x')); },
        [](const std::runtime_error& error) {
            CHECK(std::string(error.what()).size() == 1 << 20);
        });
}

// What stood for it in the worker's own pool, or held more than a text, arrived as a RemoteError.
TEST_CASE("pool: what a task of a task throws arrives as itself, too") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    expect<std::bad_alloc>(
        pool, [] { mp::Pool(1).apply([] { throw std::bad_alloc(); }); },
        [](const std::bad_alloc& error) {
            CHECK(error.what() == std::string(std::bad_alloc().what()));
        });
    expect<mp::WorkerLostError>(
        pool, [] { mp::Pool(1).apply([] { mp::os::_exit(3); }); },
        [](const mp::WorkerLostError& error) {
            CHECK(error.exitcode() == 3);
            CHECK(error.pid() > 0);
        });
    expect<mp::InitializerError>(
        pool,
        [] {
            mp::Pool broken(1, {.initializer = [] { throw std::domain_error("no"); }});
            broken.apply([] {});
        },
        [](const mp::InitializerError& error) {
            CHECK_THROWS_AS(std::rethrow_exception(error.cause()), std::domain_error);
        });
    expect<mp::CancelledError>(
        pool, [] { throw mp::CancelledError(); }, [](const mp::CancelledError&) {});
}

TEST_CASE("pool: a result whose destructor throws in the worker fails its own task") {
    const support::leftovers leftovers;
    const support::watchdog watchdog;
    mp::Pool pool(1, {.start_method = EVERY_START_METHOD});
    CHECK_THROWS_AS(pool.apply([] { return bad_end(13); }), std::exception);
    CHECK(pool.apply([] { return bad_end(12); }).value == 12);
    CHECK_THROWS_AS(pool.map([](int x) { return bad_end(x); }, std::vector<int>{12, 13}),
                    std::exception);
    CHECK(pool.apply([] { return bad_end(12); }).value == 12);
}
