// SPDX-License-Identifier: MIT
// Handles that travel with a message: how queues, connections and other shared objects reach a child.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <multiprocessing/detail/algorithm.hpp>
#include <multiprocessing/detail/codec.hpp>
#include <multiprocessing/detail/os/handle.hpp>
#include <multiprocessing/error.hpp>

namespace multiprocessing::detail {

/// The handles that the message being written by this thread takes with it. A handle is named in the
/// message by its place in the list; the same handle twice is one place.
class handle_outbox {
public:
    handle_outbox() noexcept : outer_(std::exchange(current(), this)) {}
    handle_outbox(const handle_outbox&) = delete;
    handle_outbox& operator=(const handle_outbox&) = delete;
    ~handle_outbox() { current() = outer_; }

    const std::vector<native_handle>& handles() const noexcept { return handles_; }

    /// The place for `object` in the message that is being written. `what` is named in the error
    /// where the message cannot take handles along.
    static std::uint32_t put(native_handle object, const char* what) {
        handle_outbox* const box = current();
        if (box == nullptr)
            throw PicklingError(std::string("a ") + what +
                                " can only be handed to a process when it is started, as one of its "
                                "arguments; a pool's workers get it as one of their initializer's");
        auto& handles = box->handles_;
        const auto found = detail::find(handles.begin(), handles.end(), object);
        const auto place = static_cast<std::uint32_t>(found - handles.begin());
        if (found == handles.end())
            handles.push_back(object);
        return place;
    }

private:
    static handle_outbox*& current() noexcept {
        thread_local handle_outbox* box = nullptr;
        return box;
    }

    handle_outbox* outer_;
    std::vector<native_handle> handles_;
};

/// The handles that came with the message being read by this thread. Each is owned here until it is
/// taken; a place that is taken again gives a duplicate.
class handle_inbox {
public:
    explicit handle_inbox(std::vector<handle> handles) noexcept
        : outer_(std::exchange(current(), this)), handles_(std::move(handles)),
          taken_(handles_.size(), no_handle) {}
    handle_inbox(const handle_inbox&) = delete;
    handle_inbox& operator=(const handle_inbox&) = delete;
    ~handle_inbox() { current() = outer_; }

    static handle take(std::uint32_t place) {
        handle_inbox* const box = current();
        if (box == nullptr || place >= box->handles_.size())
            throw PicklingError("a message names handle " + std::to_string(place) +
                                ", which did not come with it");
        handle copy;
        if (box->taken_[place] == no_handle) {
            box->taken_[place] = box->handles_[place].get();
            copy = std::move(box->handles_[place]);
        } else {
            throw_if_error(duplicate(box->taken_[place], copy), "duplicate a handle of a message");
        }
        return copy;
    }

private:
    static handle_inbox*& current() noexcept {
        thread_local handle_inbox* box = nullptr;
        return box;
    }

    handle_inbox* outer_;
    std::vector<handle> handles_;
    std::vector<native_handle> taken_;
};

/// An owned handle in a message.
template <>
struct codec<handle> {
    static constexpr std::size_t min_bytes = sizeof(std::uint32_t);

    static void size(sizer& sizes, const handle&) { sizes.add(sizeof(std::uint32_t)); }
    static void write(writer& out, const handle& object) {
        out.put_value(handle_outbox::put(object.get(), "handle"));
    }
    static handle read(decoder& in) {
        return handle_inbox::take(in.take_value<std::uint32_t>());
    }
};

}  // namespace multiprocessing::detail
