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
#include <multiprocessing/detail/exception_record.hpp>
#include <multiprocessing/detail/exception_values.hpp>
#include <multiprocessing/detail/first_use.hpp>
#include <multiprocessing/detail/os/throw_stack.hpp>
#include <multiprocessing/detail/registered_exception.hpp>
#include <multiprocessing/detail/remote_category.hpp>
#include <multiprocessing/detail/type_name.hpp>
#include <multiprocessing/error.hpp>

#if !defined(MULTIPROCESSING_LIBSTDCXX)
#include <functional>
#endif

namespace multiprocessing::detail {

/// An exception that was made here for another type's, and goes on as that.
class stand_in {
public:
    virtual const std::type_info& stands_for() const noexcept = 0;

protected:
    stand_in() = default;
    stand_in(const stand_in&) = default;
    stand_in& operator=(const stand_in&) = default;
    ~stand_in() = default;
};

/// A standard exception that has no text of its own, with the text it had where it was thrown.
template <class Base>
class exception_with_text : public Base, public stand_in {
public:
    explicit exception_with_text(std::string text) : text_(std::move(text)) {}
    const char* what() const noexcept override { return text_.c_str(); }
    const std::type_info& stands_for() const noexcept override { return typeid(Base); }

private:
    std::string text_;
};

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

inline exception_record describe_current_exception();
inline std::exception_ptr exception_from(const exception_record& record);

inline std::vector<std::byte> values_of(const InitializerError& error) {
    try {
        std::rethrow_exception(error.cause());
    } catch (...) {
        return encode(describe_current_exception());
    }
}
/// A cause of the same type keeps its text only: what arrives from a process that is wild may say
/// that it goes on and on.
inline std::exception_ptr make_initializer_error(const exception_record& record) {
    const auto cause = decode<exception_record>(record.values);
    return std::make_exception_ptr(InitializerError(
        cause.type == record.type ? std::make_exception_ptr(ProcessError(cause.text))
                                  : exception_from(cause)));
}

/// Nothing for a type derived from one of them: that arrives as `RemoteError`.
inline std::vector<std::byte> values_of(const std::exception& error) {
    const std::type_info& type = typeid(error);
    if (type == typeid(WorkerLostError))
        return values_of(static_cast<const WorkerLostError&>(error));
    if (type == typeid(InitializerError))
        return values_of(static_cast<const InitializerError&>(error));
    if (type == typeid(BufferTooShort))
        return static_cast<const BufferTooShort&>(error).message();
    return {};
}

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
exception_kind from_values(std::exception_ptr (*make)(const exception_record&)) {
    return {readable_name(typeid(E)), make};
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

/// The standard exceptions and those of this library, but for `subprocess`' own.
inline std::vector<exception_kind> exception_kinds() {
    return {
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
        from_text<ValueError>(),
        from_text<CancelledError>(),
        from_values<WorkerLostError>(make_worker_lost),
        from_values<InitializerError>(make_initializer_error),
        from_values<BufferTooShort>(make_buffer_too_short),
    };
}

inline const exception_kind* find_exception_kind(const std::string& name) {
    static constinit first_use<std::vector<exception_kind>> known;
    const auto& kinds = known.get(exception_kinds);
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
        const auto* const other = dynamic_cast<const stand_in*>(&error);
        exception_record record = named(
            readable_name(other != nullptr ? other->stands_for() : typeid(error)), error.what());
        record.values = values_of(error);
        return record;
    } catch (...) {
        const std::type_info* const type = current_exception_type();
        return named(type != nullptr ? readable_name(*type) : "unknown",
                     "an exception that is no std::exception");
    }
}

/// Adds where it was thrown, where nothing else would tell: to what arrives as `RemoteError`.
inline void add_stack(exception_record& record) noexcept {
    if (record.image != 0 || record.offset != 0 || !record.stack.empty())
        return;
    try {
        if (find_exception_kind(record.type) == nullptr)  // Those arrive as themselves.
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
        if (!exception_registry::instance().has_reader(reader))
            return nullptr;
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
