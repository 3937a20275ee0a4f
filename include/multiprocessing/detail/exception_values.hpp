// SPDX-License-Identifier: MIT
// What exceptions of this library hold beside their text, at both ends.
#pragma once

#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/exception_record.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

inline std::vector<std::byte> values_of(const WorkerLostError& error) {
    return encode(error.pid(), error.exitcode(), error.signal(), error.task(),
                  error.out_of_memory(), error.last_words());
}
inline std::exception_ptr make_worker_lost(const exception_record& record) {
    decoder in(record.values);
    worker_end end;
    end.pid = in.read<int>();
    end.exitcode = in.read<std::optional<int>>();
    end.signal = in.read<std::string>();
    end.task = in.read<std::string>();
    end.out_of_memory = in.read<bool>();
    end.last_words = in.read<std::string>();
    in.finish();
    return std::make_exception_ptr(WorkerLostError(record.text, std::move(end)));
}

inline std::exception_ptr make_buffer_too_short(const exception_record& record) {
    return std::make_exception_ptr(BufferTooShort(record.values));
}

}  // namespace multiprocessing::detail
