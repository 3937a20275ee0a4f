# SPDX-License-Identifier: MIT
"""Finds who does which job in the programs and in peers.py, and has one measured."""
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers.py")
TIME_UNITS = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
LONGEST_RUN = 120


@dataclass(frozen=True)
class Contender:
    job: str
    who: str
    program: str

    def command(self, seconds):
        if self.program == PEERS:
            return [sys.executable, PEERS, "--job", self.job, "--seconds", str(seconds)]
        return [self.program, f"--benchmark_filter=^{self.job}/{self.who}(/|$)",
                f"--benchmark_min_time={seconds}", "--benchmark_format=json"]


class Failure(Exception):
    """Why a program gave no result, with the last line of what it wrote to standard error."""

    def __init__(self, reason, errors="", timed_out=False):
        lines = [line.strip() for line in errors.splitlines() if line.strip()]
        super().__init__(": ".join([reason, *lines[-1:]]))
        self.timed_out = timed_out


def parse_name(name):
    """JOB/WHO, whatever the library put behind it."""
    job, who = name.split("/")[:2]
    return job, who


def value_of(benchmark, field):
    """A field of what was measured, times in seconds; None where it has none. Of times the median
    of all turns is taken where it was reported, else their mean."""
    if field == "real_time" and "median" in benchmark:
        return benchmark["median"]
    if field == "real_time" and field in benchmark:
        return benchmark[field] * TIME_UNITS[benchmark["time_unit"]]
    return benchmark.get(field)


def _kill_group(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass  # It has ended, and left nobody behind.


def _ended(status):
    return f"ended by signal {-status}" if status < 0 else f"exit status {status}"


def _ends_within(process, seconds):
    """Whether it ends within that time; wait() with a time limit would look only every 50 ms."""
    end = os.pidfd_open(process.pid)
    try:
        return bool(select.select([end], [], [], seconds)[0])
    finally:
        os.close(end)


def _wait(process, errors, seconds):
    """Waits for its end; whatever else happens, nothing of what it has started goes on."""
    try:
        if not _ends_within(process, seconds):
            raise Failure(f"no end within {seconds} s", _text(errors), timed_out=True)
    finally:
        _kill_group(process.pid)
        process.wait()


def _text(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def run(command, seconds=LONGEST_RUN):
    """What a command prints to standard output and to standard error; raises Failure. Both are
    files, since a pipe has no end before every process that the command has started ends."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=errors, start_new_session=True)
        except OSError as error:
            raise Failure(str(error)) from error
        _wait(process, errors, seconds)
        if process.returncode != 0:
            raise Failure(_ended(process.returncode), _text(errors))
        return _text(output), _text(errors)


def _list(program, command):
    try:
        names = run(command)[0].split("\n")
    except Failure as failure:
        raise SystemExit(f"{program}: {failure}") from failure
    return [Contender(*parse_name(name), program) for name in names if "/" in name]


def noted(folder, name):
    """What CMake has noted beside the programs in the file of that name; "" where it has not."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def find_contenders(folder):
    """Of every program that CMake has noted, not of what an older build has left beside them, and
    of peers.py."""
    names = noted(folder, "programs.txt").split()
    if not names:
        raise SystemExit(f"{folder}: no programs.txt, which CMake writes there")
    found = []
    for name in names:
        path = os.path.join(folder, name)
        found += _list(path, [path, "--benchmark_list_tests=true"])
    return found + _list(PEERS, [sys.executable, PEERS, "--list"])


def _benchmark_in(output, errors):
    """The only benchmark that a program has printed the result of."""
    try:
        benchmark = json.loads(output)["benchmarks"][0]
    except (ValueError, LookupError, TypeError) as error:
        raise Failure("printed no result", errors) from error
    if benchmark.get("error_occurred"):
        raise Failure(benchmark.get("error_message", "gave up"), errors)
    return benchmark


def measure(contender, seconds, wrapper=(), longest=LONGEST_RUN):
    """What the contender's only benchmark printed, or the Failure, which is told on standard error,
    too."""
    try:
        return _benchmark_in(*run([*wrapper, *contender.command(seconds)], longest))
    except Failure as failure:
        print(f"{contender.job}/{contender.who}: {failure}", file=sys.stderr, flush=True)
        return failure
