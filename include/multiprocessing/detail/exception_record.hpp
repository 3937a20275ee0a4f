// SPDX-License-Identifier: MIT
// What crosses of an exception.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <multiprocessing/detail/codec.hpp>

namespace multiprocessing::detail {

/// What is sent of an exception.
struct exception_record {
    std::string type;
    std::string text;
    /// For system errors: the category's name and the number.
    std::string category;
    std::int32_t number = 0;
    /// For a registered type: the place of the thunk that reads it.
    std::uint64_t image = 0;
    std::uint64_t offset = 0;
    /// What that reads, or what one of this library holds beside its text.
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

}  // namespace multiprocessing::detail
