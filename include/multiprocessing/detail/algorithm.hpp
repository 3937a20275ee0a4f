// SPDX-License-Identifier: MIT
// The algorithms of the standard that this library needs. <algorithm> and <functional> take a
// compiler longer (GCC 12: 0.17 s a file) than most of our own headers together.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

namespace multiprocessing::detail {

template <class Iterator, class Predicate>
constexpr Iterator find_if(Iterator first, Iterator last, Predicate predicate) {
    while (first != last && !predicate(*first))
        ++first;
    return first;
}

template <class Iterator, class Predicate>
constexpr Iterator find_if_not(Iterator first, Iterator last, Predicate predicate) {
    while (first != last && predicate(*first))
        ++first;
    return first;
}

template <class Iterator, class T>
constexpr Iterator find(Iterator first, Iterator last, const T& value) {
    while (first != last && !(*first == value))
        ++first;
    return first;
}

/// The first place of a sorted range whose element does not come before `value`.
template <class Iterator, class T, class Before>
constexpr Iterator lower_bound(Iterator first, Iterator last, const T& value, Before before) {
    auto count = std::distance(first, last);
    while (count > 0) {
        const auto half = count / 2;
        const Iterator middle = std::next(first, half);
        if (before(*middle, value)) {
            first = std::next(middle);
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}

/// Takes out those that the predicate names, of a vector or a deque; returns how many.
template <class Container, class Predicate>
std::size_t erase_if(Container& container, Predicate predicate) {
    auto kept = container.begin();
    for (auto& element : container)
        if (!predicate(element)) {
            if (std::addressof(*kept) != std::addressof(element))
                *kept = std::move(element);
            ++kept;
        }
    const auto erased = static_cast<std::size_t>(container.end() - kept);
    for (std::size_t i = 0; i < erased; ++i)
        container.pop_back();
    return erased;
}

template <class T>
constexpr const T& smaller_of(const T& a, const T& b) {
    return b < a ? b : a;
}

template <class T>
constexpr const T& larger_of(const T& a, const T& b) {
    return a < b ? b : a;
}

}  // namespace multiprocessing::detail
