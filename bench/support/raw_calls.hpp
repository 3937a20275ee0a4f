// SPDX-License-Identifier: MIT
// What a call in another process costs at least: a word there and one back, without a sleep.
#pragma once

#include "raw.hpp"
#include "raw_ring.hpp"

namespace bench {

/// A child that does `work` at each word and answers it with one, over two rings: both spin.
class ring_echo {
public:
    template <class Work>
    explicit ring_echo(Work work) {
        child_ = forked([&] {
            while (take(there_) == go_on) {
                work();
                give(back_, go_on);
            }
        });
    }
    ring_echo(const ring_echo&) = delete;
    ring_echo& operator=(const ring_echo&) = delete;
    ~ring_echo() {
        give(there_, stop);
        wait_for(child_);
    }

    void round_trip() {
        give(there_, go_on);
        take(back_);
    }

private:
    static constexpr int go_on = 1;
    static constexpr int stop = 2;

    static void give(raw_ring& ring, int word) { ring.put(&word); }
    static int take(raw_ring& ring) {
        int word = 0;
        ring.get(&word);
        return word;
    }

    raw_ring there_{2, sizeof(int)};
    raw_ring back_{2, sizeof(int)};
    ::pid_t child_ = 0;
};

}  // namespace bench
