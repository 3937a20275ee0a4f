# SPDX-License-Identifier: MIT
"""The jobs that are measured, and what each is to reach.

A contender is a benchmark named JOB/WHO in one of the programs, or in peers.py; the runner finds
them by themselves. A job that nobody does as "ours" yet is listed as missing, with its goal.
"""
from dataclasses import dataclass

OURS, LIMIT = "ours", "limit"
GIB = 1 << 30

# What a unit measures: the field of a benchmark's result, and whether less or more of it is better.
UNITS = {
    "s": ("real_time", "less"),
    "B": ("bytes", "less"),
    "B/s": ("bytes_per_second", "more"),
    "tasks/s": ("items_per_second", "more"),
    "messages/s": ("items_per_second", "more"),
    "locks/s": ("items_per_second", "more"),
}


@dataclass(frozen=True)
class Goal:
    """At most (or at least, as the unit has it) `bound`: in the unit itself, or as a multiple of what
    `against` needs: the limit, a peer of the same job, or, with `of_job`, ours in another job. With
    `above` it is how far ours may lie beyond `against`."""

    bound: float
    against: str = ""
    of_job: bool = False
    above: bool = False


def times(bound, against=LIMIT):
    return Goal(bound, against)


def times_job(bound, job):
    return Goal(bound, job, of_job=True)


@dataclass(frozen=True)
class Job:
    name: str
    theme: str
    unit: str
    goals: tuple = ()
    #: What the limit is, in words.
    limit: str = ""
    #: The job whose benchmarks give this one's values, too.
    measured_by: str = ""
    #: The job whose peers and limit are the same ones: the quick form measures them once.
    beside: str = ""
    #: Shown where the goal is missed: what the measured limits say about it.
    note: str = ""

    @property
    def better(self):
        return UNITS[self.unit][1]


def _start():
    fork, spawn = "raw fork, _exit, waitpid", "posix_spawn of the same program, waitpid"
    yield Job("start_fork", "start", "s", (times(1.3),), fork, note=(
        "The rest is what a child is promised: it dies with its parent, has no input, ends with its "
        "own exit handlers and flushed streams. start_fork_promised measures a fork by hand that "
        "does the same"))
    yield Job("start_fork_promised", "start", "s", (), "a fork by hand that keeps the same promises")
    yield Job("start_forkserver", "start", "s", (times(2),), fork)
    yield Job("start_spawn", "start", "s", (times(1.3),), spawn)
    yield Job("start_fork_2GiB", "start", "s", (), fork)
    yield Job("start_forkserver_2GiB", "start", "s", (times_job(1.1, "start_forkserver"),))
    yield Job("start_spawn_2GiB", "start", "s",
              (times(1.3), times_job(1.1, "start_spawn")), spawn, note=(
                  "How much of that the system takes for itself: the limit here beside that of "
                  "start_spawn"))


FIRST_CALLS = ("Four calls, in which the memory is new, come before and are not counted, nor is "
               "CPython's first")


def _pool():
    yield Job("map_chunksize_1", "pool", "tasks/s", (Goal(6e6), times(100, "CPython")),
              note=FIRST_CALLS)
    yield Job("map_default_chunks", "pool", "tasks/s", (Goal(300e6), times(40, "CPython")),
              note=FIRST_CALLS)
    yield Job("imap_unordered", "pool", "tasks/s", (Goal(4e6), times(70, "CPython")),
              note=FIRST_CALLS)
    yield Job("imap", "pool", "tasks/s")
    yield Job("map_64_workers", "pool", "tasks/s")
    yield Job("apply_back_to_back", "pool", "s", (times(0.3),),
              "a byte through two raw pipes, there and back", note=FIRST_CALLS)
    yield Job("apply_from_idle", "pool", "s", (times(1.3),), "two eventfd wake-ups", note=(
        "Behind a sleep all code is cold, and a call runs more of it than two wake-ups do. "
        "apply_from_idle_by_hand measures a call through the same rings without a pool: no lock, no "
        "queue of tasks, no replacement of workers"))
    yield Job("apply_from_idle_by_hand", "pool", "s", (),
              "a call through the pool's rings, without a pool")
    yield Job("apply_8MiB_vector", "pool", "B/s", (Goal(4 * GIB),),
              "a copy into shared memory, a word, a copy into a new vector, a word back", note=(
                  f"The limit makes the same two copies by hand. {FIRST_CALLS}"))
    yield Job("apply_8MiB_span", "pool", "B/s", (Goal(8 * GIB),),
              "a copy into shared memory, a word there and back", note=FIRST_CALLS)
    yield Job("futures_submit_result", "pool", "s", (Goal(3e-6),), note=FIRST_CALLS)
    yield Job("start_64_workers", "pool", "s", (Goal(0.020, LIMIT, above=True),),
              "64 raw forks, until each has written a byte to a pipe, as each worker has for ours",
              note=("start_64_workers_promised measures forks by hand that have what a worker is "
                    "promised, memory of its own and an end with its parent above all: how much of "
                    "the rest that is"))
    yield Job("start_64_workers_promised", "pool", "s", (),
              "64 forks by hand that keep the same promises, until each has written a byte")


def _queue():
    # Boost's always has a bound: beside ours without one it has room for every message of a turn.
    # That is like beside like, but slower than its 1,024 messages: the goal is to hold beside both.
    boost, ring = "Boost message_queue", "a ring of one producer and one consumer, without locks"
    yield Job("queue_int", "queue", "messages/s", (Goal(12e6), times(2, boost)), ring)
    yield Job("queue_int_bounded", "queue", "messages/s", (times(2, boost),), ring)
    yield Job("queue_int_4_4", "queue", "messages/s", (times_job(0.5, "queue_int"),))
    yield Job("simple_queue_int", "queue", "messages/s")
    yield Job("queue_1KiB", "queue", "messages/s", (Goal(6e6),), ring)
    yield Job("queue_1KiB_unbounded", "queue", "messages/s", (Goal(6e6),), ring)
    yield Job("queue_1MiB", "queue", "B/s", (times(2, boost),), ring)
    yield Job("queue_round_trip", "queue", "s")


def _pipe():
    yield Job("pipe_64B", "pipe", "s", (times(1.2),), "two raw pipes", note=(
        "A message says how long it is, and no reader may read beyond it, since another process may "
        "read the pipe, too: that is a second read a message. pipe_64B_framed measures it by hand"))
    yield Job("pipe_64B_framed", "pipe", "s", (), "two raw pipes, the length read first")
    yield Job("pipe_64B_values", "pipe", "s", (), "two raw pipes")
    # CPython's pipe is a socket pair, too; "raw pipes" are a peer of these two.
    yield Job("pipe_64KiB", "pipe", "s", (), "a raw socketpair")
    yield Job("pipe_1MiB", "pipe", "s", (), "a raw socketpair")


def _sync():
    mutex = "a robust pthread mutex"
    yield Job("lock_uncontended", "sync", "s", (times(1.5),), mutex)
    yield Job("lock_two_processes", "sync", "locks/s", (times(5, "CPython"),), mutex)
    yield Job("condition_hand_over", "sync", "s", (), "a pthread condition")
    yield Job("barrier", "sync", "s", (), "a pthread barrier")


def _codec():
    fresh, copied = "new memory and one memcpy", "the object's own copy"
    for size, write, read in (("small", 13e-9, 7e-9), ("medium", 90e-9, 360e-9)):
        yield Job(f"codec_{size}_write", "codec", "s", (Goal(write),), fresh, note=(
            "The limit allocates as many bytes and copies them at once"))
        yield Job(f"codec_{size}_read", "codec", "s", (Goal(read),), copied, note=(
            "The limit is the object's own copy"))
    yield Job("codec_8MiB_write", "codec", "B/s", (), fresh)
    yield Job("codec_8MiB_read", "codec", "B/s", (), copied)


def _subprocess():
    spawn = "posix_spawn, waitpid"
    yield Job("call_true", "subprocess", "s", (times(1.05),), spawn)
    yield Job("call_true_2GiB", "subprocess", "s", (times(1.05),), spawn)
    yield Job("read_64MiB", "subprocess", "B/s", (times(0.95),), "posix_spawn, a loop of read")
    yield Job("check_output_64MiB", "subprocess", "B/s", (),
              "posix_spawn, a loop of read, into a block that grows by realloc")


def _memory():
    yield Job("memory_outstanding_task", "memory", "B", (Goal(200),))
    yield Job("memory_queue", "memory", "B")


def _growth():
    for exponent in range(7):
        yield Job(f"growth_tasks_{10 ** exponent}", "growth", "s")
    for exponent in range(4):
        yield Job(f"growth_processes_{10 ** exponent}", "growth", "s", (),
                  "raw forks, then waitpid of each")


def _compile():
    goals = {"process": (Goal(1.0),), "multiprocessing": (Goal(2.0),)}
    headers = ("process multiprocessing pool queues connection subprocess futures thread_pool synchronize "
               "sharedctypes shared_memory managers context spawn reduction os error config")
    for header in headers.split():
        limit = "<thread>" if header in goals else ""
        note = "Beside it <boost/process.hpp>, measured in the same turns: Boost.Process"
        yield Job(f"compile_{header}", "compile", "s", goals.get(header, ()), limit,
                  beside="compile_process" if header == "multiprocessing" else "",
                  note=note if header in goals else "")
    for header in headers.split():
        yield Job(f"compile_memory_{header}", "compile", "B", measured_by=f"compile_{header}")


THEMES = ("start", "pool", "queue", "pipe", "sync", "codec", "subprocess", "memory", "growth",
          "compile")


def all_jobs():
    for of_theme in (_start, _pool, _queue, _pipe, _sync, _codec, _subprocess, _memory,
                     _growth, _compile):
        yield from of_theme()
