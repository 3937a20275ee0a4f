#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What CPython's own modules do with the jobs of bench/.

The work, and where the clock starts and stops, are those of the programs. What still differs:

- A turn has fewer tasks, messages or queues than ours where CPython needs longer: 20,000 tasks
  (imap and 64 workers: 200,000 of ours, map_chunksize_1: 500,000; default chunks: as many), 100,000
  messages (1,000,000; of 1 KiB: 200,000), 200 blocks of 1 MiB (1,000), 20,000 outstanding tasks
  (1,000,000), 100 queues that stay (200). A measurement of under a tenth of a second, as those of
  the quick form are, has a quarter of the tasks of a map or imap, of the messages and the blocks in
  a turn. The values are of one task or message.
- A first turn is not counted, except of queues, locks, memory, start_64_workers and the growth to
  100,000 tasks. Ours counts it, except where processes and programs are started, and of a pool's
  calls, of which four are not counted (map_64_workers: all are).
- Times are medians of turns; ours are means where a turn takes nanoseconds. Rates are means.
- Values are Python's objects, and a pickle tells what they are; the other side of ours knows. An
  array is what is nearest to a vector of double. To a task, though, go bytes, which pickle copies
  least; to the task that takes a span, the name of shared memory that workers attach to once.
- A queue's put() only hands the message to a thread of its process.

`peers.py --list` names the jobs; `peers.py --job JOB --seconds S` measures one for about so long
and prints what a program of Google Benchmark would print for it.
"""
import argparse
import array
import concurrent.futures
import json
import mmap
import multiprocessing as mp
import os
import pickle
import statistics
import subprocess
import sys
import time

from support import start_target

WORKERS = 2
MANY_WORKERS = 64
GIB2 = 2 << 30
SHORT = 0.1
JOBS = {}


def job(name, *arguments):
    """Adds a function as the contender of a job; it is called with the seconds to measure for."""

    def add(measure):
        JOBS[name] = lambda seconds: measure(seconds, *arguments)
        return measure

    return add


def repeat(seconds, act, setup=None, items=0, size=0, first=True):
    """Repeats `act` for about `seconds`; `setup` runs before each turn and is not counted, nor is a
    first turn unless `first` is false: then there is none."""
    if first:
        act()
    taken, spent = [], 0.0
    while spent < seconds:
        if setup:
            setup()
        start = time.perf_counter()
        act()
        taken.append(time.perf_counter() - start)
        spent += taken[-1]
    return {**report(spent, len(taken), items, size), "median": statistics.median(taken)}


def report(spent, turns, items=0, size=0):
    result = {"real_time": spent / turns, "time_unit": "s"}
    if items:
        result["items_per_second"] = items * turns / spent
    if size:
        result["bytes_per_second"] = size * turns / spent
    return result


def turn_of(count, seconds):
    """How many tasks or messages a turn has, in a short measurement of `seconds` fewer."""
    return count if seconds >= SHORT else count // 4


def each_of_many(result, count):
    """What one act takes where each turn was `count` of them."""
    return {**result, "real_time": result["real_time"] / count, "median": result["median"] / count}


# Start.

def resident_memory(size):
    """Memory that is there, in one call: page by page 2 GiB can take seconds."""
    populate = getattr(mmap, "MAP_POPULATE", 0x8000)
    return size and mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | populate)


@job("start_fork", "fork", 0)
@job("start_forkserver", "forkserver", 0)
@job("start_spawn", "spawn", 0)
@job("start_fork_2GiB", "fork", GIB2)
@job("start_forkserver_2GiB", "forkserver", GIB2)
@job("start_spawn_2GiB", "spawn", GIB2)
def start(seconds, method, resident):
    context = mp.get_context(method)
    # The children would import, and first compile, all of this file.
    sys.modules["__main__"] = start_target
    memory = resident_memory(resident)

    def start_and_join():
        process = context.Process(target=start_target.nothing)
        process.start()
        process.join()

    result = repeat(seconds, start_and_join)
    del memory
    return result


# Pool and futures.

def identity(x):
    return x


def last(xs):
    return xs[-1]


@job("map_chunksize_1", WORKERS, 20_000, 1)
@job("map_default_chunks", WORKERS, 2_000_000, None)
@job("map_64_workers", MANY_WORKERS, 20_000, 1)
def pool_map(seconds, workers, most, chunksize):
    count = turn_of(most, seconds)
    with mp.Pool(workers) as pool:
        xs = list(range(count))

        def run():
            assert len(pool.map(identity, xs, chunksize)) == count

        return repeat(seconds, run, items=count)


@job("imap", "imap")
@job("imap_unordered", "imap_unordered")
def pool_stream(seconds, method):
    count = turn_of(20_000, seconds)
    with mp.Pool(WORKERS) as pool:
        xs = list(range(count))

        def run():
            for _ in getattr(pool, method)(identity, xs):
                pass

        return repeat(seconds, run, items=count)


@job("apply_back_to_back", None)
@job("apply_from_idle", lambda: time.sleep(0.001))
def pool_apply(seconds, setup):
    with mp.Pool(WORKERS) as pool:
        return repeat(seconds, lambda: pool.apply(identity, (1,)), setup)


@job("apply_8MiB_vector")
def pool_apply_large(seconds):
    with mp.Pool(WORKERS) as pool:
        values = bytes(8 << 20)
        return repeat(seconds, lambda: pool.apply(last, (values,)), size=len(values))


ATTACHED = {}


def shared_block(*arguments, **options):
    # Not for everybody: it imports so much that the children of all other jobs would start later.
    from multiprocessing.shared_memory import SharedMemory
    return SharedMemory(*arguments, **options)


def last_of_shared(name):
    if name not in ATTACHED:
        ATTACHED[name] = shared_block(name)
    return ATTACHED[name].buf[-1]


@job("apply_8MiB_span")
def pool_apply_shared(seconds):
    values = bytes(8 << 20)
    block = shared_block(create=True, size=len(values))

    def apply(pool):
        block.buf[:len(values)] = values
        return pool.apply(last_of_shared, (block.name,))

    try:
        with mp.Pool(WORKERS) as pool:
            return repeat(seconds, lambda: apply(pool), size=len(values))
    finally:
        block.close()
        block.unlink()


@job("start_64_workers")
def start_many_workers(seconds):
    """Until each has run its initializer, which writes a byte to a pipe."""
    taken = []
    while sum(taken) < seconds:
        running, arrive = os.pipe()
        begin = time.perf_counter()
        with mp.Pool(MANY_WORKERS, os.write, (arrive, b"x")):
            for _ in range(MANY_WORKERS):
                os.read(running, 1)
            taken.append(time.perf_counter() - begin)
        os.close(running)
        os.close(arrive)
    return {**report(sum(taken), len(taken)), "median": statistics.median(taken)}


@job("futures_submit_result")
def submit(seconds):
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as executor:
        return repeat(seconds, lambda: executor.submit(identity, 1).result())


# Queues and pipes.

def put_many(queue, go, value, count):
    go.get()
    for _ in range(count):
        queue.put(value)


def get_many(queue, go, done, count):
    go.get()
    for _ in range(count):
        queue.get()
    done.put(1)


@job("queue_int", "Queue", 1, 100_000, 0, 7)
@job("queue_int_bounded", "Queue", 1, 100_000, 1024, 7)
@job("queue_int_4_4", "Queue", 4, 100_000, 0, 7)
@job("simple_queue_int", "SimpleQueue", 1, 100_000, None, 7)
@job("queue_1KiB", "Queue", 1, 100_000, 1024, bytes(1 << 10))
@job("queue_1KiB_unbounded", "Queue", 1, 100_000, 0, bytes(1 << 10))
@job("queue_1MiB", "Queue", 1, 200, 4, bytes(1 << 20))
def queue_stream(seconds, kind, pairs, messages, most, value):
    make, count = getattr(mp, kind), turn_of(messages, seconds)

    def stream():
        queue = make() if most is None else make(most)
        go, done = mp.SimpleQueue(), mp.SimpleQueue()
        producers = [mp.Process(target=put_many, args=(queue, go, value, count // pairs))
                     for _ in range(pairs)]
        consumers = [mp.Process(target=get_many, args=(queue, go, done, count // pairs))
                     for _ in range(pairs)]
        for process in producers + consumers:
            process.start()
        begin = time.perf_counter()
        for _ in range(2 * pairs):
            go.put(1)
        for _ in range(pairs):
            done.get()
        taken = time.perf_counter() - begin
        for process in producers + consumers:
            process.join()
        return taken

    turns, spent = 0, 0.0
    while turns == 0 or spent < seconds:
        spent += stream()
        turns += 1
    size = len(value) if isinstance(value, bytes) else 8
    return report(spent, turns, count, count * size)


def echo_queue(there, back):
    while there.get():
        back.put(1)


@job("queue_round_trip")
def queue_round_trip(seconds):
    there, back = mp.Queue(), mp.Queue()
    process = mp.Process(target=echo_queue, args=(there, back))
    process.start()
    result = repeat(seconds, lambda: (there.put(1), back.get()))
    there.put(0)
    process.join()
    return result


def echo_bytes(end):
    while True:
        end.send_bytes(end.recv_bytes())


def echo_values(end):
    while True:
        end.send(end.recv())


def pass_through_pipe(seconds, echo, pass_with):
    here, there = mp.Pipe()
    process = mp.Process(target=echo, args=(there,), daemon=True)
    process.start()
    result = repeat(seconds, lambda: pass_with(here))
    process.terminate()
    process.join()
    return result


@job("pipe_64B", 64)
@job("pipe_64KiB", 64 << 10)
@job("pipe_1MiB", 1 << 20)
def pipe_round_trip(seconds, size):
    message = bytes(size)
    return pass_through_pipe(seconds, echo_bytes,
                             lambda end: (end.send_bytes(message), end.recv_bytes()))


@job("pipe_64B_values")
def pipe_values(seconds):
    message = bytes(64)
    return pass_through_pipe(seconds, echo_values, lambda end: (end.send(message), end.recv()))


# Locks.

@job("lock_uncontended")
def lock_uncontended(seconds):
    lock, turns = mp.Lock(), 10_000

    def take_turns():
        for _ in range(turns):
            lock.acquire()
            lock.release()

    return each_of_many(repeat(seconds, take_turns, items=turns), turns)


def take_turns(lock, meet, count):
    """The seconds from where both processes begin to where both have ended."""
    meet.wait()
    begin = time.perf_counter()
    for _ in range(count):
        lock.acquire()
        lock.release()
    meet.wait()
    return time.perf_counter() - begin


@job("lock_two_processes")
def lock_contended(seconds):
    turns, rounds, spent = 200_000, 0, 0.0
    while rounds == 0 or spent < seconds:
        lock, meet = mp.Lock(), mp.Barrier(2)
        other = mp.Process(target=take_turns, args=(lock, meet, turns))
        other.start()
        spent += take_turns(lock, meet, turns)
        other.join()
        rounds += 1
    return report(spent, rounds, 2 * turns)


def pass_turns(condition, turn, me):
    with condition:
        while True:
            condition.wait_for(lambda: turn.value == me)
            turn.value = 1 - me
            condition.notify()


@job("condition_hand_over")
def condition_hand_over(seconds):
    condition, turn = mp.Condition(), mp.RawValue("i", 0)
    other = mp.Process(target=pass_turns, args=(condition, turn, 1), daemon=True)
    other.start()

    def there_and_back():
        with condition:
            turn.value = 1
            condition.notify()
            condition.wait_for(lambda: turn.value == 0)

    result = repeat(seconds, there_and_back)
    other.terminate()
    other.join()
    return result


def meet_for_ever(barrier):
    while True:
        barrier.wait()


@job("barrier")
def barrier_meeting(seconds):
    barrier = mp.Barrier(2)
    other = mp.Process(target=meet_for_ever, args=(barrier,), daemon=True)
    other.start()
    result = repeat(seconds, barrier.wait)
    other.terminate()
    other.join()
    return result


# Programs.

@job("call_true", 0)
@job("call_true_2GiB", GIB2)
def call_true(seconds, resident):
    memory = resident_memory(resident)
    result = repeat(seconds, lambda: subprocess.call(["/bin/true"]))
    del memory
    return result


WRITER = "dd if=/dev/zero bs=65536 count=1024 status=none"


@job("read_64MiB")
def popen_read(seconds):
    def run():
        with subprocess.Popen(WRITER, shell=True, stdout=subprocess.PIPE, bufsize=0) as process:
            while process.stdout.read(65536):
                pass

    return repeat(seconds, run, size=64 << 20)


@job("check_output_64MiB")
def check_output(seconds):
    return repeat(seconds, lambda: subprocess.check_output(WRITER, shell=True), size=64 << 20)


# The codec's peer is pickle.

def small_message(number):
    # Each has a name of its own: pickle writes an object once that it meets again.
    return (number, -7, 2.5, True, " ".join(("hello", "world")))


SMALL = small_message(1)
MEDIUM = (42, "t" * 40, list(range(64)), {f"score {i}": float(i) for i in range(8)}, "a remark",
          [small_message(i) for i in range(8)])


def repeat_many(seconds, act, turns=1_000):
    def run():
        for _ in range(turns):
            act()

    return each_of_many(repeat(seconds, run), turns)


@job("codec_small_write", SMALL)
@job("codec_medium_write", MEDIUM)
def pickle_write(seconds, value):
    return repeat_many(seconds, lambda: pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


@job("codec_small_read", SMALL)
@job("codec_medium_read", MEDIUM)
def pickle_read(seconds, value):
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return repeat_many(seconds, lambda: pickle.loads(data))


def large_message():
    return array.array("d", [1.5]) * (1 << 20)


@job("codec_8MiB_write")
def pickle_write_large(seconds):
    message = large_message()
    return repeat(seconds, lambda: pickle.dumps(message, pickle.HIGHEST_PROTOCOL), size=8 << 20)


@job("codec_8MiB_read")
def pickle_read_large(seconds):
    data = pickle.dumps(large_message(), pickle.HIGHEST_PROTOCOL)
    return repeat(seconds, lambda: pickle.loads(data), size=8 << 20)


# Memory and growth.

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@job("memory_outstanding_task")
def memory_outstanding_task(seconds):
    count = 20_000
    with mp.Pool(1) as pool:
        pool.apply_async(time.sleep, (60,))
        results = [None] * count
        before = resident_bytes()
        for i in range(count):
            results[i] = pool.apply_async(identity, (1,))
        result = {"real_time": 0, "time_unit": "s", "bytes": (resident_bytes() - before) / count}
        pool.terminate()
    return result


@job("memory_queue")
def memory_queue(seconds):
    count = 100
    before = resident_bytes()
    queues = [mp.Queue() for _ in range(count)]
    for queue in queues:
        queue.put(1)
        queue.get()
    return {"real_time": 0, "time_unit": "s", "bytes": (resident_bytes() - before) / count}


@job("growth_tasks_1", 1)
@job("growth_tasks_10", 10)
@job("growth_tasks_100", 100)
@job("growth_tasks_1000", 1_000)
@job("growth_tasks_10000", 10_000)
@job("growth_tasks_100000", 100_000)
def growth_tasks(seconds, count):
    with mp.Pool(WORKERS) as pool:
        xs = list(range(count))
        return repeat(seconds, lambda: pool.map(identity, xs, chunksize=1), first=count < 100_000)


@job("growth_processes_1", 1)
@job("growth_processes_10", 10)
@job("growth_processes_100", 100)
@job("growth_processes_1000", 1_000)
def growth_processes(seconds, count):
    def run():
        processes = [mp.Process(target=start_target.nothing) for _ in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()

    return repeat(seconds, run)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--job")
    parser.add_argument("--seconds", type=float, default=0.3)
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{name}/CPython" for name in JOBS))
        return
    mp.set_start_method("fork")
    result = {"name": f"{arguments.job}/CPython", **JOBS[arguments.job](arguments.seconds)}
    print(json.dumps({"benchmarks": [result]}))


if __name__ == "__main__":
    main()
