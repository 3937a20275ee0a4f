// SPDX-License-Identifier: MIT
// Containers whose elements lie in the message as they lie in memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <iterator>

#include <multiprocessing/detail/codec/decoder.hpp>

namespace multiprocessing::detail {

// A place in a message as an iterator over elements that may be unaligned there. A container built
// from two of them is allocated once and not filled with zeros first.
template <class Element>
class message_iterator {
public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;
    using pointer = const Element*;
    using reference = Element;

    message_iterator() = default;
    explicit message_iterator(const std::byte* place) noexcept : place_(place) {}

    Element operator*() const noexcept {
        Element element;
        std::memcpy(&element, place_, sizeof(Element));
        return element;
    }
    message_iterator& operator++() noexcept {
        place_ += sizeof(Element);
        return *this;
    }
    message_iterator operator++(int) noexcept {
        const message_iterator before = *this;
        ++*this;
        return before;
    }
    message_iterator& operator--() noexcept {
        place_ -= sizeof(Element);
        return *this;
    }
    message_iterator& operator+=(std::ptrdiff_t steps) noexcept {
        place_ += steps * static_cast<std::ptrdiff_t>(sizeof(Element));
        return *this;
    }
    friend std::ptrdiff_t operator-(message_iterator a, message_iterator b) noexcept {
        return (a.place_ - b.place_) / static_cast<std::ptrdiff_t>(sizeof(Element));
    }
    friend bool operator==(message_iterator a, message_iterator b) noexcept {
        return a.place_ == b.place_;
    }

private:
    const std::byte* place_ = nullptr;
};

template <class T>
T read_bulk(decoder& in, std::size_t count) {
    using element = typename T::value_type;
    const std::size_t bytes = count * sizeof(element);
    const std::byte* const from = in.take<T>(bytes);
    if constexpr (sizeof(element) == 1) {
        const auto* const first = reinterpret_cast<const element*>(from);
        return T(first, first + count);
    } else {
        return T(message_iterator<element>(from), message_iterator<element>(from + bytes));
    }
}

}  // namespace multiprocessing::detail
