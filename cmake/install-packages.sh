#!/bin/sh
# Usage: install-packages.sh PACKAGE...
#
# Installs those of the named Debian packages that are missing, and does nothing when none is. On
# other systems it only looks for the tools that no build can do without; libraries that are missing
# there are downloaded by CMake.
set -eu

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    tools=
    command -v "${CXX:-c++}" >/dev/null || tools="$tools a C++20 compiler,"
    command -v cmake >/dev/null || tools="$tools CMake 3.25 or newer,"
    command -v ninja >/dev/null || tools="$tools Ninja,"
    if [ -n "$tools" ]; then
        echo "Please install:${tools%,}. (On Debian this script would do it.)" >&2
        exit 1
    fi
    exit 0
fi

missing=
for package in "$@"; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || :)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Missing packages:$missing. Install them as root, or install sudo." >&2
        exit 1
    fi
    as_root=sudo
fi

echo "Installing$missing"
$as_root apt-get update -q
# shellcheck disable=SC2086 # One word for each package.
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
