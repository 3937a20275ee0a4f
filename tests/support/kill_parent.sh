#!/bin/sh
# Usage: kill_parent.sh STORIES [EMULATOR]
#
# Kills tests/children/stories from outside of Windows, while it waits for a child and that one's
# child. The output of the three ends when the last of them has ended: so does this script, and hangs
# where one is left.
set -eu
stories=$1
emulator=${2:-}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkfifo "$dir/output"

$emulator "$stories" waits_to_be_killed spawn >"$dir/output" 2>&1 &
parent=$!
{
    # The emulator becomes the program. Once it has said so, its child and grandchild run.
    read -r line
    [ "${line%%[[:space:]]*}" = ready ]
    kill -KILL "$parent"
    cat
} <"$dir/output"
echo "nobody is left"
