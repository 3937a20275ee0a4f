# SPDX-License-Identifier: MIT
"""What the report says of the machine and of the tools."""
import datetime
import os
import platform
import re
import subprocess


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


def _boost():
    found = _first_match("/usr/include/boost/version.hpp", r'BOOST_LIB_VERSION "([0-9_]+)"')
    return found.replace("_", ".")


def _system():
    return _first_match("/etc/os-release", '^PRETTY_NAME="(.*)"')


def describe(compiler):
    """Pairs of what and which."""
    kib = _first_match("/proc/meminfo", r"MemTotal:\s*(\d+)")
    memory = f"{int(kib) / (1 << 20):.1f} GiB" if kib.isdigit() else kib
    return [
        ("date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
        ("commit", _commit()),
        ("processor", f"{_first_match('/proc/cpuinfo', r'model name.*: (.*)')}, "
                      f"{len(os.sched_getaffinity(0))} usable"),
        ("memory", memory),
        ("system", f"{_system()}, Linux {platform.release()}"),
        ("compiler", compiler),
        ("peers", f"CPython {platform.python_version()}, Boost {_boost()}"),
    ]
