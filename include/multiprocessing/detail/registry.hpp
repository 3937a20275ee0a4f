// SPDX-License-Identifier: MIT
// The functions that a message may name: thunks, which enter themselves when the program starts,
// and functions that were given a name.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/library_mutex.hpp>

namespace multiprocessing::detail {

/// An address of code, whatever its type.
using code_address = const void*;

template <class Function>
code_address address_of(Function* function) noexcept {
    return reinterpret_cast<code_address>(function);
}

/// All thunks and named functions of the images that are loaded. Thread-safe.
class registry {
public:
    static registry& instance() {
        static registry* const table = new registry;  // Never destroyed: libraries unload late.
        return *table;
    }

    void add(code_address thunk) {
        const std::lock_guard lock(library_mutex());
        thunks_.insert(place_of(thunk), thunk);
    }
    void remove(code_address thunk) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place = place_of(thunk);
        if (place != thunks_.end() && *place == thunk)
            thunks_.erase(place);
    }
    bool contains(code_address thunk) {
        const std::lock_guard lock(library_mutex());
        const auto place = place_of(thunk);
        return place != thunks_.end() && *place == thunk;
    }

    void add_name(std::string_view name, code_address function) {
        const std::lock_guard lock(library_mutex());
        names_.push_back({name, function});
    }
    void remove_name(std::string_view name, code_address function) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place = detail::find_if(names_.begin(), names_.end(), [&](const named& entry) {
            return entry.function == function && entry.name == name;
        });
        if (place != names_.end())
            names_.erase(place);
    }
    /// Empty where the function has no name that is its own; null where no function has the name,
    /// or several have: files may each hold a function of the same name, and either would be a
    /// guess.
    std::string_view name_of(code_address function) {
        const std::lock_guard lock(library_mutex());
        for (const named& entry : names_)
            if (entry.function == function && only_function_of(entry.name) == function)
                return entry.name;
        return {};
    }
    code_address function_of(std::string_view name) {
        const std::lock_guard lock(library_mutex());
        return only_function_of(name);
    }

private:
    struct named {
        std::string_view name;
        code_address function;
    };

    registry() = default;

    /// Pointers to different objects are ordered as numbers.
    std::vector<code_address>::iterator place_of(code_address thunk) {
        return detail::lower_bound(
            thunks_.begin(), thunks_.end(), thunk, [](code_address a, code_address b) {
                return reinterpret_cast<std::uintptr_t>(a) < reinterpret_cast<std::uintptr_t>(b);
            });
    }

    code_address only_function_of(std::string_view name) const noexcept {
        code_address found = nullptr;
        for (const named& entry : names_) {
            if (entry.name != name || entry.function == found)
                continue;
            if (found != nullptr)
                return nullptr;
            found = entry.function;
        }
        return found;
    }

    std::vector<code_address> thunks_;
    std::vector<named> names_;
};

/// Made before main: see first_use.
inline registry& early_registry = registry::instance();

class registered_thunk {
public:
    explicit registered_thunk(code_address thunk) : thunk_(thunk) {
        registry::instance().add(thunk);
    }
    registered_thunk(const registered_thunk&) = delete;
    registered_thunk& operator=(const registered_thunk&) = delete;
    ~registered_thunk() { registry::instance().remove(thunk_); }
    code_address address() const noexcept { return thunk_; }

private:
    code_address thunk_;
};

/// Whoever asks for a thunk's address through this has entered it into the registry before main.
template <auto Thunk>
struct thunk_entry {
    static inline const registered_thunk entry{address_of(Thunk)};
    static code_address address() noexcept { return entry.address(); }
};

class registered_name {
public:
    registered_name(std::string_view name, code_address function)
        : name_(name), function_(function) {
        registry::instance().add_name(name, function);
    }
    registered_name(const registered_name&) = delete;
    registered_name& operator=(const registered_name&) = delete;
    ~registered_name() { registry::instance().remove_name(name_, function_); }

private:
    std::string_view name_;
    code_address function_;
};

}  // namespace multiprocessing::detail
