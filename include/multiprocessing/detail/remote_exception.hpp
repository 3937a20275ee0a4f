// SPDX-License-Identifier: MIT
// How an exception crosses: by its type where that is a standard one, by name and text always.
#pragma once

#include <any>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <ios>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <variant>
#include <vector>

#include <multiprocessing/detail/callable.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/library_mutex.hpp>
#include <multiprocessing/detail/os/throw_stack.hpp>
#include <multiprocessing/detail/registered_exception.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/error.hpp>

#if !defined(MULTIPROCESSING_LIBSTDCXX)
#include <functional>
#endif

namespace multiprocessing::detail {

/// What is sent of an exception.
struct exception_record {
    std::string type;
    std::string text;
    /// For system errors: the category's name and the number.
    std::string category;
    std::int32_t number = 0;
    /// For a registered type: the place of the thunk that reads it, and what that reads.
    std::uint64_t image = 0;
    std::uint64_t offset = 0;
    std::vector<std::byte> values{};
    /// Where it was thrown, for one that will arrive as `RemoteError`.
    std::vector<std::string> stack{};
};

// Written out, as that of spawn_header is.
template <>
struct codec<exception_record> {
    static constexpr std::size_t min_bytes =
        5 * sizeof(std::uint64_t) + sizeof(std::int32_t) + 2 * sizeof(std::uint64_t);

    static void size(sizer& sizes, const exception_record& record) {
        sizes.add(min_bytes + record.type.size() + record.text.size() + record.category.size() +
                  record.values.size());
        for (const std::string& frame : record.stack)
            sizes.add(sizeof(std::uint64_t) + frame.size());
    }
    static void write(writer& out, const exception_record& record) {
        for (const std::string* const text : {&record.type, &record.text, &record.category})
            write_bytes(out, text->data(), text->size());
        out.put_value(record.number);
        out.put_value(record.image);
        out.put_value(record.offset);
        write_bytes(out, record.values.data(), record.values.size());
        out.put_count(record.stack.size());
        for (const std::string& frame : record.stack)
            write_bytes(out, frame.data(), frame.size());
    }
    static exception_record read(decoder& in) {
        exception_record record;
        for (std::string* const text : {&record.type, &record.text, &record.category})
            read_text(in, *text);
        record.number = in.take_value<std::int32_t>();
        record.image = in.take_value<std::uint64_t>();
        record.offset = in.take_value<std::uint64_t>();
        record.values.resize(in.take_count<std::byte, 1>());
        const std::byte* const values = in.take<std::byte>(record.values.size());
        copy_short(record.values.data(), values, record.values.size());
        record.stack.resize(in.take_count<std::string, sizeof(std::uint64_t)>());
        for (std::string& frame : record.stack)
            read_text(in, frame);
        return record;
    }

private:
    static void write_bytes(writer& out, const void* from, std::size_t bytes) {
        out.put_count(bytes);
        out.put(from, bytes);
    }
    static void read_text(decoder& in, std::string& text) {
        const std::size_t bytes = in.take_count<char, 1>();
        text.assign(reinterpret_cast<const char*>(in.take<char>(bytes)), bytes);
    }
};

/// A standard exception that has no text of its own, with the text it had where it was thrown.
template <class Base>
class exception_with_text : public Base {
public:
    explicit exception_with_text(std::string text) : text_(std::move(text)) {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

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

/// A system error, or one derived from it, whose text is the one it had, not one made up again of
/// its parts.
template <class Base>
class remote_system_error : public Base {
public:
    explicit remote_system_error(const exception_record& record)
        : Base(base_from(record)), text_(record.text) {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    static Base base_from(const exception_record& record) {
        const std::error_code code(record.number, category_named(record.category));
        if constexpr (std::is_constructible_v<Base, std::error_code>)
            return Base(code);
        else
            return Base(record.text, code);
    }

    std::string text_;
};

/// One row of the table of types that arrive as themselves.
struct exception_kind {
    std::string type;
    std::exception_ptr (*make)(const exception_record&);
};

template <class E>
std::exception_ptr make_from_text(const exception_record& record) {
    return std::make_exception_ptr(E(record.text));
}
template <class E>
std::exception_ptr make_with_text(const exception_record& record) {
    return std::make_exception_ptr(exception_with_text<E>(record.text));
}
template <class E>
std::exception_ptr make_system(const exception_record& record) {
    return std::make_exception_ptr(remote_system_error<E>(record));
}

template <class E>
exception_kind from_text() {
    return {readable_name(typeid(E)), make_from_text<E>};
}
template <class E>
exception_kind with_text() {
    return {readable_name(typeid(E)), make_with_text<E>};
}
template <class E>
exception_kind from_system() {
    return {readable_name(typeid(E)), make_system<E>};
}

#if defined(MULTIPROCESSING_LIBSTDCXX)
/// By the function that the library throws it with: the header that defines it is a heavy one.
inline std::exception_ptr make_bad_function_call(const exception_record&) {
    try {
        std::__throw_bad_function_call();
    } catch (...) {
        return std::current_exception();
    }
}
inline exception_kind of_bad_function_call() {
    return {"std::bad_function_call", make_bad_function_call};
}
#else
inline exception_kind of_bad_function_call() {
    return with_text<std::bad_function_call>();
}
#endif

/// The standard exceptions, and those of this library that a text makes whole.
inline const exception_kind* find_exception_kind(const std::string& name) {
    static const exception_kind kinds[] = {from_text<std::runtime_error>(),
                                           from_text<std::logic_error>(),
                                           from_text<std::invalid_argument>(),
                                           from_text<std::domain_error>(),
                                           from_text<std::length_error>(),
                                           from_text<std::out_of_range>(),
                                           from_text<std::range_error>(),
                                           from_text<std::overflow_error>(),
                                           from_text<std::underflow_error>(),
                                           with_text<std::exception>(),
                                           with_text<std::bad_alloc>(),
                                           with_text<std::bad_array_new_length>(),
                                           with_text<std::bad_cast>(),
                                           with_text<std::bad_any_cast>(),
                                           with_text<std::bad_typeid>(),
                                           with_text<std::bad_exception>(),
                                           of_bad_function_call(),
                                           with_text<std::bad_optional_access>(),
                                           with_text<std::bad_variant_access>(),
                                           with_text<std::bad_weak_ptr>(),
                                           from_system<std::system_error>(),
                                           from_system<std::ios_base::failure>(),
                                           from_system<std::filesystem::filesystem_error>(),
                                           from_text<ProcessError>(),
                                           from_text<TimeoutError>(),
                                           from_text<AuthenticationError>(),
                                           from_text<Empty>(),
                                           from_text<Full>(),
                                           from_text<BrokenBarrierError>(),
                                           from_text<PicklingError>(),
                                           from_text<EOFError>(),
                                           from_text<ValueError>()};
    for (const exception_kind& kind : kinds)
        if (kind.type == name)
            return &kind;
    return nullptr;
}

template <class E>
exception_record record_system(const E& error) {
    exception_record record{readable_name(typeid(E)), error.what(), error.code().category().name(),
                            error.code().value()};
    return record;
}

/// The type and the text of the exception that is being handled. Those derived from a system error
/// of the table, such as remote_system_error, travel as that.
inline exception_record describe_current_exception() {
    const auto named = [](std::string type, const char* text) {
        exception_record record;
        record.type = std::move(type);
        record.text = text != nullptr ? text : "";
        return record;
    };
    try {
        throw;
    } catch (const RemoteError& error) {  // From further away: keep who threw it, and where.
        exception_record record = named(error.type(), error.text().c_str());
        record.stack = error.stack();
        return record;
    } catch (const std::filesystem::filesystem_error& error) {
        return record_system(error);
    } catch (const std::ios_base::failure& error) {
        return record_system(error);
    } catch (const std::system_error& error) {
        return record_system(error);
    } catch (const std::exception& error) {
        return named(readable_name(typeid(error)), error.what());
    } catch (...) {
        const std::type_info* const type = current_exception_type();
        return named(type != nullptr ? readable_name(*type) : "unknown",
                     "an exception that is no std::exception");
    }
}

/// Adds where it was thrown, where nothing else would tell: to what arrives as `RemoteError`.
inline void add_stack(exception_record& record) noexcept {
    const bool arrives_as_itself = record.image != 0 || record.offset != 0 ||
                                   find_exception_kind(record.type) != nullptr;
    if (arrives_as_itself || !record.stack.empty())
        return;
    try {
        record.stack = stack_of_throw();
    } catch (...) {  // No memory for it: its name and text are there.
    }
}

/// Describes the exception that is being handled, which left a call of watch_throws.
inline exception_record record_current_exception() {
    exception_record record = describe_current_exception();
    image_place place;
    try {
        if (const code_address reader =
                exception_registry::instance().write_current(record.values)) {
            place = place_of_thunk(reader);
            record.image = place.image;
            record.offset = place.offset;
        }
    } catch (...) {  // The type's own code failed: its name and text are there.
    }
    add_stack(record);
    return record;
}

/// One of a registered type; null where this program cannot read it.
inline std::exception_ptr registered_exception_from(const exception_record& record) noexcept {
    try {
        const code_address reader = thunk_at({record.image, record.offset});
        decoder in(record.values);
        return reinterpret_cast<exception_reader>(const_cast<void*>(reader))(in);
    } catch (...) {
        return nullptr;
    }
}

/// The exception again: the same type where it is one of the table or registered, else
/// `RemoteError`.
inline std::exception_ptr exception_from(const exception_record& record) {
    if (record.image != 0 || record.offset != 0)
        if (const auto error = registered_exception_from(record))
            return error;
    if (const exception_kind* const kind = find_exception_kind(record.type))
        return kind->make(record);
    return std::make_exception_ptr(RemoteError(record.type, record.text, record.stack));
}

}  // namespace multiprocessing::detail
