#!/bin/sh
# Installs what is missing, builds the library's tests and runs them all.
set -eu
cd "$(dirname "$0")/.."

sh cmake/install-packages.sh g++ cmake ninja-build libfmt-dev catch2 \
    bind9-dnsutils dnsmasq-base iproute2
cmake --workflow --preset dev
