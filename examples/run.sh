#!/bin/sh
# Installs what is missing, builds the examples and runs them in the order of the tutorial.
set -eu
cd "$(dirname "$0")/.."

sh cmake/install-packages.sh g++ cmake ninja-build libfmt-dev bind9-dnsutils
cmake --workflow --preset examples

failed=
for example in fork process pool call communicate queue pipe futures; do
    printf '\n== %s ==\n' "$example"
    status=0
    "build/examples/examples/$example" || status=$?
    if [ "$status" -ne 0 ]; then
        echo "$example failed with exit status $status"
        failed="$failed $example"
    fi
done

if [ -n "$failed" ]; then
    printf '\nFailed:%s\n' "$failed" >&2
    exit 1
fi
