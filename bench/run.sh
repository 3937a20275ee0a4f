#!/bin/sh
# Installs what is missing, builds the benchmarks, runs them beside their peers and writes
# bench/RESULTS.md; with --quick, or with --jobs for some jobs only, it only prints one line a job.
# The arguments are those of bench/runner/run.py, which tells them with --help.
set -eu
cd "$(dirname "$0")/.."

sh cmake/install-packages.sh g++ cmake ninja-build libbenchmark-dev libboost-dev python3
if [ "$#" -eq 0 ]; then
    exec cmake --workflow --preset bench
fi
cmake --preset bench
cmake --build --preset bench
python=/usr/bin/python3  # The system's own is the peer, as CMake has it.
[ -x "$python" ] || python=python3
exec "$python" bench/runner/run.py --programs build/bench/bench "$@"
