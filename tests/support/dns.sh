#!/bin/sh
# Usage: dns.sh COMMAND [ARGUMENTS...]
#
# Runs the command on a network of its own, where a name server on 127.0.0.1 knows python.org and
# nothing else, so that a test of nslookup gets the same answers on every machine. The exit status
# is the command's, or 77 where the system lets neither root nor user namespaces make a network.
#
# Nothing is left behind, even by SIGKILL: the end of this script kills unshare, whose end kills the
# first process of the new process namespace, with which every process, mount and device in it goes.
set -eu

resolv_conf=$(cd "$(dirname "$0")" && pwd)/resolv.conf
PATH=$PATH:/usr/sbin:/sbin # A user's own path may lack dnsmasq and ip.
export PATH

skip() {
    echo "skipped: $1" >&2
    exit 77
}

for program in unshare setpriv ip dnsmasq nslookup; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done

# Both run inside, with resolv.conf as $1. Without /etc/resolv.conf the resolver asks 127.0.0.1.
make_network='
    set -eu
    ip link set lo up
    [ ! -e /etc/resolv.conf ] || mount --bind "$1" /etc/resolv.conf
    shift
'
# A /proc that cannot be mounted, as in some containers, only shows the outer processes' numbers.
# Without --local dnsmasq would refuse to say that www.python.org has no IPv6 address, which nslookup
# takes for a failure; without --no-daemon it would change its group, which a user namespace forbids.
run_command='
    mount -t proc proc /proc 2>/dev/null || :
    dnsmasq --no-daemon --conf-file=/dev/null --pid-file= --log-facility=/dev/null \
        --no-resolv --no-hosts --bind-interfaces --interface=lo \
        --local=/python.org/ --host-record=www.python.org,192.0.2.80 \
        --host-record=mail.python.org,192.0.2.25 --mx-host=python.org,mail.python.org,50 \
        </dev/null >/dev/null 2>&1 &
    tries=100
    until nslookup -timeout=1 -retry=1 www.python.org 127.0.0.1 >/dev/null; do
        tries=$((tries - 1))
        if [ "$tries" -eq 0 ] || ! kill -0 $! 2>/dev/null; then
            echo "dns.sh: the name server does not answer" >&2
            exit 1
        fi
    done
    trap "exit 143" TERM
    "$@"
'

namespaces='--net --mount --pid --fork --kill-child'
# shellcheck disable=SC2086 # The words are meant to be split.
if ! unshare $namespaces sh -c "$make_network" sh "$resolv_conf" 2>/dev/null; then
    namespaces="--map-root-user $namespaces"
    unshare $namespaces sh -c "$make_network" sh "$resolv_conf" 2>/dev/null ||
        skip "needs root or user namespaces"
fi

# In the background, so that a signal to this script is acted on at once; a shell would have the
# command there read from /dev/null and ignore the keyboard's signals.
exec 3<&0
# shellcheck disable=SC2086
env --default-signal=INT,QUIT setpriv --pdeathsig KILL \
    unshare $namespaces sh -c "$make_network$run_command" sh "$resolv_conf" "$@" <&3 3<&- &
child=$!
trap 'kill -KILL "$child"; exit 143' HUP INT TERM
wait "$child"
