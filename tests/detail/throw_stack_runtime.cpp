// SPDX-License-Identifier: MIT
// POSIX only: Windows' loader knows no names, and the last throw is told there, also one that was
// caught meanwhile.
#include <multiprocessing/detail/os/throw_stack.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include "support/catch.hpp"
#include "support/throw_below.hpp"

using support::stack_of;
using support::throw_below;

namespace {

int compare_nothing(const void*, const void*) {
    throw std::runtime_error("not comparable");
}

}  // namespace

TEST_CASE("throw stack: functions that the loader knows are named") {
    const auto stack = stack_of([] {
        auto* volatile search = std::bsearch;  // The C library's, not a copy made here.
        const int numbers[] = {1, 2};
        search(numbers, numbers, 2, sizeof numbers[0], compare_nothing);
    });
    CHECK(std::any_of(stack.begin(), stack.end(), [](const std::string& frame) {
        return frame.find("(bsearch") != std::string::npos;
    }));
}

TEST_CASE("throw stack: objects that are destroyed meanwhile leave it whole") {
    struct guard {
        ~guard() {
            try {
                throw_below(30);
            } catch (const std::exception&) {
            }
        }
    };
    const auto plain = stack_of([] { throw_below(3); });
    const auto guarded = stack_of([] {
        const guard now;
        throw_below(3);
    });
    CHECK(guarded.size() == plain.size());
}
