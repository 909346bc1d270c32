#!/bin/bash
# SPDX-License-Identifier: ISC
# The store's disk stands still: requests that wait for it are told of in
# the log after ten seconds, once each, with what they wait for, and in the
# figures, which can be read meanwhile; when the disk goes on, so do they.
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

make_disk ext4 64M
"$KVFS_BIN" -f -o threads=6 "$STORE" "$MNT" 2>"$log" &
daemon=$!
await "the mount" [ -e "$MNT/.kvfs/stats" ]
PID=$(stat_value "$MNT" Pid)
for i in 1 2 3; do
	echo "contents $i" >"$MNT/file$i"
done
same "unanswered" 0 \
    "$(stat_value "$MNT" "Requests unanswered for 10 seconds")"
ino=$(stat -c %i "$MNT/file1")

fsfreeze -f "$DISK" || fail "fsfreeze"
for i in 1 2 3; do
	dd if=/dev/zero of="$MNT/file$i" bs=4k count=1 conv=fsync,notrunc \
	    2>"$T/err$i" &
	writers="$writers $!"
done
# An option whose change waits for the disk holds up nobody else.
echo sync=full >"$MNT/.kvfs/options" &
writers="$writers $!"
sleep 0.5
timeout -s KILL 10 ls "$MNT/.kvfs" >/dev/null || fail "a directory"
timeout -s KILL 10 cat "$MNT/.kvfs/stats" >/dev/null || fail "stats"
await "the log tells" told 3
grep -q "request fsync (.*) of inode $ino: .*: it waits " "$log" ||
    fail "no line says what it waits for"
overdue_now "[34]" || fail "figures"
timeout -s KILL 10 grep -q '^kvfs_requests_overdue_now [34]$' "$MNT/.kvfs/metrics" ||
    fail "metrics"
oldest=$(stat_value "$MNT" "Oldest unanswered request seconds")
[ "$oldest" -ge 10 ] || fail "the oldest one is of $oldest s"

fsfreeze -u "$DISK" || fail "fsfreeze -u"
for i in $writers; do
	wait "$i" || fail "a writer failed"
done
overdue_now 0 || fail "unanswered later: $(grep unanswered \
    "$MNT/.kvfs/stats")"
same "unanswered in all" "$(grep -c 'no answer for' "$log")" \
    "$(stat_value "$MNT" "Requests unanswered for 10 seconds")"
same "contents" 4096 "$(stat -c %s "$MNT/file3")"
unmount "$MNT"
wait $daemon || fail "exit status $?"
PID=
