// SPDX-License-Identifier: MIT
// The category of a system error that comes from another process.
#pragma once

#include <ios>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#include <multiprocessing/detail/library_mutex.hpp>

namespace multiprocessing::detail {

/// Stands for a category of the program's own: numbers and the name are what they were, and compare
/// equal to no other category's.
class remote_category : public std::error_category {
public:
    remote_category(std::string name, const remote_category* next)
        : name_(std::move(name)), next_(next) {}
    const char* name() const noexcept override { return name_.c_str(); }
    std::string message(int number) const override {
        return "error " + std::to_string(number) + " of " + name_;
    }
    const remote_category* next() const noexcept { return next_; }

private:
    std::string name_;
    const remote_category* next_;
};

inline const std::error_category& category_named(const std::string& name) {
    for (const std::error_category* const known :
         {&std::system_category(), &std::generic_category(), &std::iostream_category()})
        if (name == known->name())
            return *known;
    static const remote_category* others = nullptr;
    const std::lock_guard lock(library_mutex());
    for (const remote_category* known = others; known != nullptr; known = known->next())
        if (name == known->name())
            return *known;
    others = new remote_category(name, others);  // Never destroyed: error codes refer to it.
    return *others;
}

}  // namespace multiprocessing::detail
