// SPDX-License-Identifier: MIT
// Locks, conditions and barriers of the system and of Boost, in memory that processes share, with
// one face for sync.cpp.
#pragma once

#include "raw.hpp"

#include <new>

#include <boost/interprocess/sync/interprocess_condition.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/scoped_lock.hpp>

#include <pthread.h>

namespace bench {

/// Makes a `T` in memory that the children of this process share with it.
template <class T>
class shared {
public:
    shared() : object_(new (memory_.data()) T) {}
    T& operator*() const { return *object_; }
    T* operator->() const { return object_; }

private:
    shared_memory memory_{sizeof(T)};
    T* object_;
};

class robust_lock {
public:
    robust_lock() {
        ::pthread_mutexattr_t attributes;
        ::pthread_mutexattr_init(&attributes);
        ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        require(::pthread_mutex_init(&mutex_, &attributes) == 0);
        ::pthread_mutexattr_destroy(&attributes);
    }
    void lock() { require(::pthread_mutex_lock(&mutex_) == 0); }
    void unlock() { require(::pthread_mutex_unlock(&mutex_) == 0); }

    ::pthread_mutex_t& native() { return mutex_; }

private:
    ::pthread_mutex_t mutex_;
};

using boost_lock = boost::interprocess::interprocess_mutex;

/// Two processes take turns: `pass(me)` gives the turn to the other one and waits until it is back;
/// false once the other one has left.
class raw_turns {
public:
    raw_turns() {
        ::pthread_condattr_t attributes;
        ::pthread_condattr_init(&attributes);
        ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        require(::pthread_cond_init(&changed_, &attributes) == 0);
        ::pthread_condattr_destroy(&attributes);
    }
    bool pass(int me) {
        lock_.lock();
        turn_ = 1 - me;
        ::pthread_cond_signal(&changed_);
        while (turn_ != me)
            ::pthread_cond_wait(&changed_, &lock_.native());
        lock_.unlock();
        return !left_;
    }
    void leave(int me) {
        lock_.lock();
        turn_ = 1 - me;
        left_ = true;
        ::pthread_cond_signal(&changed_);
        lock_.unlock();
    }

private:
    robust_lock lock_;
    ::pthread_cond_t changed_;
    int turn_ = 0;
    bool left_ = false;
};

class boost_turns {
public:
    bool pass(int me) {
        boost::interprocess::scoped_lock<boost_lock> lock(lock_);
        turn_ = 1 - me;
        changed_.notify_one();
        while (turn_ != me)
            changed_.wait(lock);
        return !left_;
    }
    void leave(int me) {
        boost::interprocess::scoped_lock<boost_lock> lock(lock_);
        turn_ = 1 - me;
        left_ = true;
        changed_.notify_one();
    }

private:
    boost_lock lock_;
    boost::interprocess::interprocess_condition changed_;
    int turn_ = 0;
    bool left_ = false;
};

/// Two processes wait for each other.
class raw_barrier {
public:
    raw_barrier() {
        ::pthread_barrierattr_t attributes;
        ::pthread_barrierattr_init(&attributes);
        ::pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
        require(::pthread_barrier_init(&barrier_, &attributes, 2) == 0);
        ::pthread_barrierattr_destroy(&attributes);
    }
    void wait() { ::pthread_barrier_wait(&barrier_); }

private:
    ::pthread_barrier_t barrier_;
};

}  // namespace bench
