// SPDX-License-Identifier: MIT
#include <multiprocessing/detail/streams.hpp>

#include <cstdio>
#include <iostream>
#include <sstream>
#include <streambuf>

#include <multiprocessing/config.hpp>

#include "support/catch.hpp"

namespace {

using namespace multiprocessing::detail;

class counting_buffer : public std::streambuf {
public:
    int flushes() const { return flushes_; }

private:
    int sync() override {
        ++flushes_;
        return 0;
    }
    int flushes_ = 0;
};

/// Has a stream write to another buffer, for as long as it lives.
class redirected {
public:
    redirected(std::ostream& stream, std::streambuf& buffer)
        : stream_(stream), before_(stream.rdbuf(&buffer)) {}
    redirected(const redirected&) = delete;
    redirected& operator=(const redirected&) = delete;
    ~redirected() { stream_.rdbuf(before_); }

private:
    std::ostream& stream_;
    std::streambuf* before_;
};

}  // namespace

#if defined(MULTIPROCESSING_POSIX)  // Elsewhere it is not known.
TEST_CASE("streams: what a stream of C's holds is known") {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    CHECK(std::fputs("a line that is not written yet", file) >= 0);
    CHECK(holds_output(file));
    CHECK(std::fflush(file) == 0);
    CHECK_FALSE(holds_output(file));
    CHECK(std::fclose(file) == 0);
}
#endif

TEST_CASE("streams: the buffers of the user's own are not taken for C's") {
    std::stringbuf text;
    counting_buffer own;
    CHECK_FALSE(passes_on_to_c(text));
    CHECK_FALSE(passes_on_to_c(own));
}

#if defined(MULTIPROCESSING_POSIX) && defined(MULTIPROCESSING_LIBSTDCXX)
TEST_CASE("streams: those of C++ that share C's are known") {
    CHECK(passes_on_to_c(*std::cin.rdbuf()));
    CHECK(passes_on_to_c(*std::cout.rdbuf()));
    CHECK(passes_on_to_c(*std::cerr.rdbuf()));
    CHECK(passes_on_to_c(*std::clog.rdbuf()));

    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        __gnu_cxx::stdio_sync_filebuf<char> other(file);
        CHECK_FALSE(passes_on_to_c(other));
    }
    CHECK(std::fclose(file) == 0);
}
#endif

TEST_CASE("streams: a buffer of the user's own behind a standard stream is flushed") {
    counting_buffer out;
    counting_buffer err;
    counting_buffer log;
    const redirected first(std::cout, out);
    const redirected second(std::cerr, err);
    const redirected third(std::clog, log);
    flush_streams();
    CHECK(out.flushes() == 1);
    CHECK(err.flushes() == 1);
    CHECK(log.flushes() == 1);
}
