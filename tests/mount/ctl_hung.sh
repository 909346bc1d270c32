#!/bin/sh
# SPDX-License-Identifier: ISC
# A daemon that does not answer: every command says so within 2 seconds and
# leaves nothing behind that waits; umount -f ends the mount, and what was
# committed is there once the daemon goes on.
. "$(dirname "$0")/lib.sh"

# Name the mount by either of its names, and a path in it.
hang()
{
	start_kvfs
	echo kept >"$MNT/x"
	kill -STOP "$PID"
}

# A command, in a pipe: nothing that it started may hold the pipe's end.
says_hung()
{
	before=$(date +%s%N)
	out=$(timeout -s KILL 20 "$KVFSCTL_BIN" "$@" 2>&1 </dev/null)
	same "status of kvfsctl $*" 1 $?
	took=$((($(date +%s%N) - before) / 1000000))
	[ $took -lt "${KVFS_HUNG_MS:-6000}" ] ||
	    fail "kvfsctl $*: takes $took ms"
	[ "$(echo "$out" | wc -l)" -eq 1 ] || fail "kvfsctl $*: $out"
	case $out in
	*"does not answer"*) ;;
	*) fail "kvfsctl $*: $out" ;;
	esac
}

# All at once: each waits for its own time.
hang
waiting=
at_once()
{
	(trap - EXIT; "$@") &
	waiting="$waiting $!"
}
check_hung()
{
	at_once says_hung "$@"
}
names_daemon()
{
	says_hung stat "$MNT"
	echo "$out" | grep -q "process $PID" ||
	    fail "the daemon is not named: $out"
}
# start TEXT STORE MOUNTPOINT: another start says so too
start_says()
{
	out=$("$KVFS_BIN" "$2" "$3" 2>&1)
	same "status of kvfs $2 $3" 1 $?
	echo "$out" | grep -q "$1" || fail "kvfs $2 $3: $out"
}
mkdir "$T/other"
for name in "$MNT" "$STORE"; do
	check_hung get "$name" x
	check_hung put "$name" y z
	check_hung stat "$name"
	check_hung check "$name"
	check_hung umount "$name"
done
check_hung set "$MNT/" flush=lazy
check_hung sync "$MNT/some/thing"
check_hung repair "$MNT" "$T/repaired"
at_once names_daemon
at_once start_says "in use by process $PID" "$STORE" "$T/other"
at_once start_says "does not answer" "$T/store2" "$MNT"
for p in $waiting; do
	wait "$p" || exit 1
done
is_mounted "$MNT" || fail "not mounted any more"
kill -CONT "$PID"
same "a daemon that goes on" kept "$("$KVFSCTL_BIN" get "$MNT" x)"
stop_kvfs

# umount -f. Who waits for an answer gets an error.
for name in "$MNT" "$STORE"; do
	hang
	cat "$MNT/never-seen" 2>"$T/err" &
	reader=$!
	timeout -s KILL 20 "$KVFSCTL_BIN" umount -f "$name" 2>"$T/out" ||
	    fail "umount -f $name: status $?: $(cat "$T/out")"
	! is_mounted "$MNT" || fail "umount -f $name: still mounted"
	if [ "$(id -u)" = 0 ]; then
		wait $reader && fail "reading from a mount that is gone"
	fi
	kill -CONT "$PID"
	wait_gone "$PID"
	PID=
	same "after umount -f $name" kept "$("$KVFSCTL_BIN" get "$STORE" x)"
done
