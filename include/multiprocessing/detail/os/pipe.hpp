// SPDX-License-Identifier: MIT
// Seam: a one-way stream of bytes between processes, and the exchange of whole texts over several.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <multiprocessing/config.hpp>
#include <multiprocessing/detail/deadline.hpp>
#include <multiprocessing/detail/os/backend.hpp>
#include <multiprocessing/detail/os/handle.hpp>

#if defined(MULTIPROCESSING_POSIX)
#include <multiprocessing/detail/posix/pipe.hpp>
#include <multiprocessing/detail/posix/pipe_exchange.hpp>
#elif defined(MULTIPROCESSING_WINDOWS)
#include <multiprocessing/detail/windows/pipe.hpp>
#include <multiprocessing/detail/windows/pipe_exchange.hpp>
#endif

namespace multiprocessing::detail {

/// The two ends of a stream. Never at the places of a program's standard streams.
using backend::pipe_ends;

/// open_pipe(ends): a new stream, whose ends the library uses.
/// open_program_pipe(ends, program_reads): one of which an end, the reader if `program_reads`, is
/// for any program to use as a standard stream. Where this process can be copied, copies do not
/// have the ends until `share_with_forks()` of a handle says so.
/// read_some(from, into, count): blocks until there is something; `count` is 0 at the end of file.
/// write_all(to, head, body): writes both pieces, blocks until they are taken; `broken_pipe` where
/// nobody can read any more, and no signal.
/// open_null(both_ways): reads as empty, forgets what is written.
/// create_file(path, file): an empty file for write_all(), in place of one that is there. Never at
/// the place of a standard stream.
/// set_pipe_capacity(pipe, bytes): how much it holds before writers wait, where that can be set.
/// widen_pipe(pipe, bytes): the same where it holds less.
using backend::create_file;
using backend::open_null;
using backend::open_pipe;
using backend::open_program_pipe;
using backend::read_some;
using backend::set_pipe_capacity;
using backend::widen_pipe;
using backend::write_all;

/// Feeds one stream and drains up to two, all at once, so that no side can block the other. A
/// stream that has ended is closed. What was drained when time ran out stays in the strings, what
/// was not yet fed is `unsent()`. Of what is neither there nor sent an object of type `unfinished`
/// takes care: the one that is given to feed() is to be given to the next exchange, too. A stream
/// that is drained belongs to the exchange alone.
using backend::pipe_exchange;

template <class Ends, class Exchange>
concept pipe_contract = requires(Ends ends, Exchange exchange, native_handle n,
                                 std::span<std::byte> into, std::span<const std::byte> from,
                                 std::size_t& count, std::string& text, std::string_view input,
                                 typename Exchange::unfinished& unfinished, const deadline& until,
                                 bool& done) {
    { ends.reader } -> std::same_as<handle&>;
    { ends.writer } -> std::same_as<handle&>;
    { open_pipe(ends) } -> std::same_as<std::error_code>;
    { open_program_pipe(ends, done) } -> std::same_as<std::error_code>;
    { open_null(ends.reader) } -> std::same_as<std::error_code>;
    { create_file(text, ends.writer) } -> std::same_as<std::error_code>;
    { set_pipe_capacity(n, count) } -> std::same_as<std::error_code>;
    { widen_pipe(n, count) } -> std::same_as<std::error_code>;
    { read_some(n, into, count) } -> std::same_as<std::error_code>;
    { write_all(n, from, from) } -> std::same_as<std::error_code>;
    { exchange.feed(ends.writer, input) } -> std::same_as<std::error_code>;
    { exchange.feed(ends.writer, input, unfinished) } -> std::same_as<std::error_code>;
    { exchange.drain(ends.reader, text) } -> std::same_as<std::error_code>;
    { exchange.run(until, done) } -> std::same_as<std::error_code>;
    { exchange.unsent() } -> std::same_as<std::string_view>;
};
static_assert(pipe_contract<pipe_ends, pipe_exchange>);

}  // namespace multiprocessing::detail
