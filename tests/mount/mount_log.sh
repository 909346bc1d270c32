#!/bin/bash
# SPDX-License-Identifier: ISC
# Who reads the daemon's messages and does not go on holds up no request, nor
# the end of the daemon; what is lost is counted.
. "$(dirname "$0")/lib.sh"

# A line for each request, into a pipe that is read only later.
mkfifo "$T/messages"
exec 9<>"$T/messages"
timeout -s KILL 120 "$KVFS_BIN" -d "$STORE" "$MNT" 2>"$T/messages" 9>&- &
job=$!
until [ -e "$MNT/.kvfs/stats" ]; do
	kill -0 $job 2>/dev/null || fail "kvfs -d: it does not start"
done
PID=$(stat_value "$MNT" Pid)
mkdir "$MNT/many"
(cd "$MNT/many" && seq 1000 | timeout -s KILL 60 xargs touch) || {
	kill -KILL "$PID"
	fail "requests wait for who reads the messages"
}
same "files" 1000 "$(ls "$MNT/many" | wc -l)"

# Now it goes on: what it missed is said.
timeout 60 sed '/ were dropped$/q' <&9 >"$T/got" || fail "nothing is said"
grep -q 'kvfs: libfuse: .*LOOKUP' "$T/got" || fail "no request is told of"

# Full again, at the end.
(cd "$MNT/many" && seq 1000 | xargs touch -c) || fail "touch"
unmount "$MNT"
wait $job || fail "kvfs -d: exit status $?"
PID=
