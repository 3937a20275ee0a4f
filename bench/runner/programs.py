# SPDX-License-Identifier: MIT
"""Finds who does which job in the programs and in peers.py, and has one measured."""
import json
import os
import subprocess
import sys
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


def parse_name(name):
    """JOB/WHO, whatever the library put behind it."""
    job, who = name.split("/")[:2]
    return job, who


def value_of(benchmark, field):
    """A field of what was measured, times in seconds; None where it has none. Of times the median
    of all turns is taken where it was reported, else their mean."""
    if field == "real_time" and "median" in benchmark:
        return benchmark["median"]
    if field == "real_time":
        return benchmark[field] * TIME_UNITS[benchmark["time_unit"]]
    return benchmark.get(field)


def _run(command, seconds=LONGEST_RUN):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                          check=True, text=True, stdin=subprocess.DEVNULL).stdout


def _list(program, command):
    names = _run(command).split("\n")
    return [Contender(*parse_name(name), program) for name in names if "/" in name]


def find_contenders(folder):
    """Of every program in `folder`, and of peers.py."""
    found = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            found += _list(path, [path, "--benchmark_list_tests=true"])
    return found + _list(PEERS, [sys.executable, PEERS, "--list"])


def measure(contender, seconds, wrapper=()):
    """What the contender's only benchmark printed, or None (and a line on standard error) where it
    fails."""
    try:
        return json.loads(_run([*wrapper, *contender.command(seconds)]))["benchmarks"][0]
    except (subprocess.SubprocessError, ValueError, LookupError) as error:
        print(f"{contender.job}/{contender.who}: {error}", file=sys.stderr)
        return None
