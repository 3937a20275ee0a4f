# SPDX-License-Identifier: MIT
"""What the report says of the machine and of the tools."""
import datetime
import os
import platform
import re
import subprocess
import sys
import sysconfig
import time

import programs


def _first_match(path, expression):
    try:
        with open(path, encoding="utf-8") as file:
            found = re.search(expression, file.read(), re.MULTILINE)
            return found.group(1) if found else "unknown"
    except OSError:
        return "unknown"


def _commit():
    try:
        return subprocess.run(["git", "-C", os.path.dirname(os.path.abspath(__file__)), "describe",
                               "--always", "--dirty"], stdout=subprocess.PIPE, check=True,
                              stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _system():
    return _first_match("/etc/os-release", '^PRETTY_NAME="(.*)"')


def threads_of(siblings):
    """How many a list like "0-1" or "0,4" names."""
    ranges = [part.split("-") for part in siblings.split(",")]
    return sum(int(one[-1]) - int(one[0]) + 1 for one in ranges)


def _processor():
    siblings = _first_match("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", r"(\S+)")
    threads = siblings if siblings == "unknown" else threads_of(siblings)
    return (f"{_first_match('/proc/cpuinfo', r'model name.*: (.*)')}, "
            f"{len(os.sched_getaffinity(0))} usable, threads per core: {threads}")


def _memory():
    kib = _first_match("/proc/meminfo", r"MemTotal:\s*(\d+)")
    return f"{int(kib) / (1 << 20):.1f} GiB" if kib.isdigit() else kib


def how_built(flags, configured):
    """How well CPython was optimised, as its PY_CFLAGS and CONFIG_ARGS tell."""
    level = (re.findall(r"(?<!\S)-O\S*", flags) or ["no -O"])[-1]
    if "--enable-optimizations" in configured:
        return f"--enable-optimizations, {level}"
    if "/usr/share/python-wheels" in configured:
        return f"Debian's package, which its own rules optimise, {level}"
    return f"without --enable-optimizations, {level}"


def _python():
    built = how_built(sysconfig.get_config_var("PY_CFLAGS") or "",
                      sysconfig.get_config_var("CONFIG_ARGS") or "")
    return f"CPython {platform.python_version()} ({sys.executable}: {built})"


def _ticks():
    """How long all processors were idle, and how long they were anything."""
    with open("/proc/stat", encoding="utf-8") as file:
        ticks = [int(field) for field in file.readline().split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


def idle(seconds=2):
    """The part of the next seconds in which the processors have nothing to do."""
    before = _ticks()
    time.sleep(seconds)
    idle_ticks, all_ticks = (after - earlier for after, earlier in zip(_ticks(), before))
    return idle_ticks / all_ticks


def describe(options, idle_before):
    """Pairs of what and which; `idle_before` is what `idle` told before the first measurement."""
    compiler = programs.noted(options.programs, "compiler.txt") or "unknown"
    boost = programs.noted(options.programs, "boost.txt") or "of unknown version"
    return [
        ("date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", _commit()),
        ("measurements", f"{options.rounds} of each contender, each repeats for about "
                         f"{options.seconds:g} s"),
        ("processor", _processor()),
        ("memory", _memory()),
        ("before", f"idle {idle_before * 100:.0f} %"),
        ("system", f"{_system()}, Linux {platform.release()}"),
        ("compiler", compiler),
        ("peers", f"{_python()}, Boost {boost}"),
    ]
