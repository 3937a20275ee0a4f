// SPDX-License-Identifier: MIT
// Exception types of the program that arrive from another process as themselves.
#pragma once

#include <concepts>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <typeinfo>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/registry.hpp>
#include <multiprocessing/detail/type_name.hpp>

namespace multiprocessing::detail {

/// How one type crosses.
struct exception_entry {
    const std::type_info* type = nullptr;
    /// The exception that is being handled as bytes; false if it is of another type.
    bool (*write)(std::vector<std::byte>& bytes) = nullptr;
    /// The thunk that reads them.
    code_address reader = nullptr;
};
using exception_reader = std::exception_ptr (*)(decoder& in);

/// All types that are registered in the images that are loaded. Thread-safe.
class exception_registry {
public:
    static exception_registry& instance() {
        static exception_registry* const table =
            new exception_registry;  // Never destroyed: libraries unload late.
        return *table;
    }

    void add(const exception_entry& entry) {
        const std::lock_guard lock(library_mutex());
        entries_.push_back(entry);
    }
    void remove(code_address reader) noexcept {
        const std::lock_guard lock(library_mutex());
        const auto place = detail::find_if(entries_.begin(), entries_.end(),
                                           [&](const auto& one) { return one.reader == reader; });
        if (place != entries_.end())
            entries_.erase(place);
    }
    /// Whether a thunk, which a message names, is one that reads exceptions.
    bool has_reader(code_address thunk) const noexcept {
        const std::lock_guard lock(library_mutex());
        return detail::find_if(entries_.begin(), entries_.end(), [&](const auto& one) {
                   return one.reader == thunk;
               }) != entries_.end();
    }
    /// The reader of the exception that is being handled, and its bytes; null if it is of no
    /// registered type.
    code_address write_current(std::vector<std::byte>& bytes) const {
        const std::type_info* const type = current_exception_type();
        for (const exception_entry& entry : entries())
            if ((type == nullptr || *type == *entry.type) && entry.write(bytes))
                return entry.reader;
        return nullptr;
    }

private:
    std::vector<exception_entry> entries() const {
        const std::lock_guard lock(library_mutex());
        return entries_;
    }

    std::vector<exception_entry> entries_;
};

/// Made before main: see first_use.
inline exception_registry& early_exception_registry = exception_registry::instance();

/// By its values where the codec knows them, else by its text.
template <class E>
class exception_crossing {
    static_assert(sendable<E> || (std::derived_from<E, std::exception> &&
                                  std::constructible_from<E, const std::string&>),
                  "an exception type can be registered if it has serialize(Archive&), or derives "
                  "from std::exception and can be made from a text");

public:
    static bool write(std::vector<std::byte>& bytes) {
        try {
            throw;
        } catch (const E& error) {
            if (typeid(error) != typeid(E))
                return false;
            if constexpr (sendable<E>)
                bytes = encode(error);
            else
                bytes = encode(std::string(error.what()));
            return true;
        } catch (...) {
            return false;
        }
    }

    static std::exception_ptr read(decoder& in) {
        if constexpr (sendable<E>)
            return std::make_exception_ptr(in.read<E>());
        else
            return std::make_exception_ptr(E(in.read<std::string>()));
    }
};

template <class E>
class registered_exception {
public:
    registered_exception() {
        exception_registry::instance().add({&typeid(E), exception_crossing<E>::write, reader()});
    }
    registered_exception(const registered_exception&) = delete;
    registered_exception& operator=(const registered_exception&) = delete;
    ~registered_exception() { exception_registry::instance().remove(reader()); }

private:
    /// Not thunk_entry::address(): the entry may be made after this object.
    static code_address reader() noexcept {
        static_cast<void>(&thunk_entry<&exception_crossing<E>::read>::entry);
        return address_of(&exception_crossing<E>::read);
    }
};

}  // namespace multiprocessing::detail

#define MULTIPROCESSING_JOIN_NAME(a, b) a##b
#define MULTIPROCESSING_REGISTERED_EXCEPTION(type, line)                                           \
    namespace {                                                                                    \
    const ::multiprocessing::detail::registered_exception<type>                                    \
        MULTIPROCESSING_JOIN_NAME(multiprocessing_registered_exception_, line);                    \
    }                                                                                              \
    static_assert(true, "takes the semicolon")

/// Lets exceptions of exactly this type arrive from a pool's workers as themselves, not as
/// `RemoteError`: with all their values where the type has `serialize(Archive&)` or is a plain
/// aggregate, else made again from the text that `what()` gave. At namespace scope, in one source
/// file.
#define MULTIPROCESSING_REGISTER_EXCEPTION(type)                                                   \
    MULTIPROCESSING_REGISTERED_EXCEPTION(type, __LINE__)
