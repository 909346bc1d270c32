#!/bin/bash
# SPDX-License-Identifier: ISC
# The store's disk stands still: requests that wait for it are told of in
# the log after ten seconds, once each, with what they wait for, and in the
# figures, which can be read meanwhile; when the disk goes on, so do they.
# Who only looks, at the same files too, does not wait for the disk.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
command -v fsfreeze >/dev/null || fail "fsfreeze (util-linux) is missing"
trap 'status=$?; fsfreeze -u "$DISK" 2>/dev/null; (exit $status)
    disk_cleanup' EXIT
log=$T/log
writers=

told()
{
	[ "$(grep -c 'no answer for 1[0-9] s' "$log")" -ge "$1" ]
}

overdue_now()
{
	timeout -s KILL 10 grep -qx \
	    "Requests unanswered for 10 seconds by now: $1" \
	    "$MNT/.kvfs/stats"
}

# All that looks at the files, their contents and the directories they are in.
looks()
{
	local i

	for i in 1 2 3; do
		timeout -s KILL 10 stat "$MNT/file$i" >/dev/null ||
		    fail "$1: stat of a file that is written"
		timeout -s KILL 10 cat "$MNT/file$i" >/dev/null ||
		    fail "$1: cat of a file that is written"
	done
	timeout -s KILL 10 cat "$MNT/still" >/dev/null || fail "$1: cat"
	timeout -s KILL 10 stat "$MNT/dir" >/dev/null ||
	    fail "$1: stat of a directory in which a file is made"
	timeout -s KILL 10 ls -l "$MNT" >/dev/null || fail "$1: ls -l"
	# Not what the kernel has kept, either.
	echo 2 >/proc/sys/vm/drop_caches
	timeout -s KILL 10 ls -l "$MNT" "$MNT/file1" >/dev/null ||
	    fail "$1: ls -l of what the kernel has forgotten"
}

# start OPTIONS: mount, with the daemon in $daemon and $PID.
start()
{
	"$KVFS_BIN" -f -o "$1" "$STORE" "$MNT" 2>>"$log" &
	daemon=$!
	await "the mount" [ -e "$MNT/.kvfs/stats" ]
	PID=$(stat_value "$MNT" Pid)
}

# stop: unmount, the daemon has ended well.
stop()
{
	unmount "$MNT"
	wait "$daemon" || fail "exit status $?"
	PID=
}

# freeze NAME: the disk stands still; three files are written and one is
# made, in $writers.
freeze()
{
	local i

	writers=
	fsfreeze -f "$DISK" || fail "fsfreeze"
	for i in 1 2 3; do
		dd if=/dev/zero of="$MNT/file$i" bs=4k count=1 \
		    conv=fsync,notrunc 2>"$T/err$i" &
		writers="$writers $!"
	done
	touch "$MNT/dir/$1" &
	writers="$writers $!"
}

# thaw: the disk goes on, and so do those.
thaw()
{
	local i

	fsfreeze -u "$DISK" || fail "fsfreeze -u"
	for i in $writers; do
		wait "$i" || fail "a writer failed"
	done
}

make_disk ext4 64M
start threads=8
for i in 1 2 3; do
	echo "contents $i" >"$MNT/file$i"
done
echo still >"$MNT/still"
mkdir "$MNT/dir"
same "unanswered" 0 \
    "$(stat_value "$MNT" "Requests unanswered for 10 seconds")"
ino=$(stat -c %i "$MNT/file1")

freeze new
# An option whose change waits for the disk holds up nobody else.
echo sync=full >"$MNT/.kvfs/options" &
writers="$writers $!"
sleep 0.5
looks "the disk stands still"
timeout -s KILL 10 ls "$MNT/.kvfs" >/dev/null || fail "a directory"
timeout -s KILL 10 cat "$MNT/.kvfs/stats" >/dev/null || fail "stats"
await "the log tells" told 3
grep -q "request [a-z]* (.*) of inode $ino: .*: it waits " "$log" ||
    fail "no line says what it waits for"
overdue_now "[345]" || fail "figures"
timeout -s KILL 10 grep -q '^kvfs_requests_overdue_now [345]$' "$MNT/.kvfs/metrics" ||
    fail "metrics"
oldest=$(stat_value "$MNT" "Oldest unanswered request seconds")
[ "$oldest" -ge 10 ] || fail "the oldest one is of $oldest s"

thaw
overdue_now 0 || fail "unanswered later: $(grep unanswered \
    "$MNT/.kvfs/stats")"
same "unanswered in all" "$(grep -c 'no answer for' "$log")" \
    "$(stat_value "$MNT" "Requests unanswered for 10 seconds")"
same "contents" 4096 "$(stat -c %s "$MNT/file3")"
stop

# Where each call waits for the disk until it has what it has changed.
start threads=8,sync=full
freeze newer
sleep 0.5
looks "the disk stands still, sync=full"
thaw
looks "sync=full"
stop
