// SPDX-License-Identifier: MIT
// How an exception crosses: by its type where that is a standard one, by name and text always.
#pragma once

#include <any>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <typeinfo>
#include <utility>
#include <variant>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/streams.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// What is sent of an exception.
struct exception_record {
    std::string type;
    std::string text;
    /// For system errors: the category's name and the number.
    std::string category;
    std::int32_t number = 0;
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

inline const std::error_category& category_named(const std::string& name) noexcept {
    return name == std::generic_category().name() ? std::generic_category()
                                                  : std::system_category();
}

/// A system error whose text is the one it had, not one made up again of its parts.
class remote_system_error : public std::system_error {
public:
    explicit remote_system_error(const exception_record& record)
        : std::system_error(record.number, category_named(record.category)), text_(record.text) {}
    const char* what() const noexcept override { return text_.c_str(); }

private:
    std::string text_;
};

/// One row of the table of types that arrive as themselves.
struct exception_kind {
    const std::type_info* type;
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
    return std::make_exception_ptr(E(record));
}

template <class E>
exception_kind from_text() {
    return {&typeid(E), make_from_text<E>};
}
template <class E>
exception_kind with_text() {
    return {&typeid(E), make_with_text<E>};
}

/// The standard exceptions, and those of this library that a text makes whole.
inline const exception_kind* find_exception_kind(const std::string& name) {
    static const exception_kind kinds[] = {
        from_text<std::runtime_error>(),
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
        with_text<std::bad_function_call>(),
        with_text<std::bad_optional_access>(),
        with_text<std::bad_variant_access>(),
        with_text<std::bad_weak_ptr>(),
        {&typeid(std::system_error), make_system<remote_system_error>},
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
        if (readable_name(*kind.type) == name)
            return &kind;
    return nullptr;
}

/// Describes the exception that is being handled.
inline exception_record record_current_exception() {
    try {
        throw;
    } catch (const RemoteError& error) {  // From further away: keep who threw it.
        return {error.type(), error.text(), {}, 0};
    } catch (const std::system_error& error) {
        // Derived ones, such as remote_system_error or a file system's, travel as what they are
        // made of.
        return {readable_name(typeid(std::system_error)), error.what(),
                error.code().category().name(), error.code().value()};
    } catch (const std::exception& error) {
        return {readable_name(typeid(error)), error.what(), {}, 0};
    } catch (...) {
        return {"unknown", "an exception that is no std::exception", {}, 0};
    }
}

/// The exception again: the same type where it is one of the table, else `RemoteError`.
inline std::exception_ptr exception_from(const exception_record& record) {
    if (const exception_kind* const kind = find_exception_kind(record.type))
        return kind->make(record);
    return std::make_exception_ptr(RemoteError(record.type, record.text));
}

}  // namespace multiprocessing::detail
