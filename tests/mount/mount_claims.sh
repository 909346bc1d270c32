#!/bin/sh
# SPDX-License-Identifier: ISC
# Several starts on one mountpoint at once: one wins, the others say in one
# line who has it. And an end that other mounts cannot hold up.
. "$(dirname "$0")/lib.sh"

# Start $1 daemons on the mountpoint at once; one may win.
race()
{
	waiting=
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		"$KVFS_BIN" "$T/s$i" "$MNT" 2>"$T/err.$i" &
		waiting="$waiting $!"
	done
	won=0
	i=0
	for p in $waiting; do
		i=$((i + 1))
		if wait "$p"; then
			won=$((won + 1))
			continue
		fi
		lines=$(grep -vc 'cleared the dead mount' "$T/err.$i")
		same "lines of a loser" 1 "$lines"
		grep -Eq 'mounted there already|is about to mount there' \
		    "$T/err.$i" || fail "a loser: $(cat "$T/err.$i")"
	done
	same "$1 starts at once: how many won" 1 $won
	same "mounts" 1 "$(grep -c " $MNT fuse.kvfs " /proc/self/mounts)"
	PID=$(stat_value "$MNT" Pid)
}

race 8
echo alive >"$MNT/k"
# A dead mount is cleared by one of them, and nobody clears what comes after.
kill -KILL "$PID"
wait_gone "$PID"
race 8
stop_kvfs

# A directory that another program has locked is not mounted on, and the line
# names it.
mkfifo "$T/hold"
flock "$MNT" sh -c 'echo $$ >"$1"; read -r _ <"$2"' - "$T/holder" "$T/hold" &
timeout 10 sh -c "until [ -s '$T/holder' ]; do sleep 0.02; done"
expect_error 1 "is about to mount there" "$KVFS_BIN" "$STORE" "$MNT"
grep -Eq "process [0-9]+" "$T/err" || fail "nobody is named: $(cat "$T/err")"
echo >"$T/hold"
wait

# The claim ends when the mount answers, in the foreground too.
"$KVFS_BIN" -f "$STORE" "$MNT" &
PID=$!
timeout 30 sh -c "until [ -d '$MNT/.kvfs' ]; do sleep 0.02; done" ||
    fail "kvfs -f"
timeout 10 sh -c "while ls -l /proc/$PID/fd | grep -q '$MNT\$'; do
    sleep 0.02; done" ||
    fail "the mountpoint is held: $(ls -l "/proc/$PID/fd")"
kill "$PID"
wait "$PID" || fail "kvfs -f: status $?"
PID=

# The mountpoint lies in another mount of FUSE that stands still.
if has_tool bindfs; then
	mkdir "$T/outer" "$T/behind" "$T/behind/in"
	bindfs --no-allow-other -f -o entry_timeout=0,attr_timeout=0 \
	    "$T/behind" "$T/outer" 2>/dev/null &
	outer=$!
	timeout 30 sh -c "until [ -d '$T/outer/in' ]; do sleep 0.02; done" ||
	    fail "bindfs"
	"$KVFS_BIN" "$STORE" "$T/outer/in" || fail "kvfs in bindfs"
	PID=$(stat_value "$T/outer/in" Pid)
	echo kept >"$T/outer/in/k"
	kill -STOP $outer
	kill "$PID"
	timeout 20 sh -c "while [ -d /proc/$PID/fd ]; do sleep 0.1; done"
	ended=$?
	kill -CONT $outer
	same "an end in a mount that hangs" 0 $ended
	PID=
	umount -l "$T/outer/in" 2>/dev/null || fusermount3 -uz "$T/outer/in"
	unmount "$T/outer"
	wait $outer
	same "what was written" kept "$("$KVFSCTL_BIN" get "$STORE" k)"
fi
