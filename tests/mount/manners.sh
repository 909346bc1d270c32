#!/bin/sh
# SPDX-License-Identifier: ISC
# What the daemon makes of what it inherits: descriptors, closed and open,
# signals, limits, the time.
. "$(dirname "$0")/lib.sh"

# Keeps a value, and can be stopped.
works()
{
	PID=$(stat_value "$MNT" Pid)
	[ -n "$PID" ] || fail "$1: no mount"
	echo "$1" >"$MNT/x" || fail "$1: cannot write"
	stop_kvfs
	same "$1" "$1" "$("$KVFSCTL_BIN" get "$STORE" x)"
}

# Started without some of the descriptors 0, 1 and 2.
"$KVFS_BIN" "$STORE" "$MNT" <&- || fail "no standard input"
works "no standard input"
"$KVFS_BIN" "$STORE" "$MNT" >&- || fail "no standard output"
works "no standard output"
"$KVFS_BIN" "$STORE" "$MNT" 2>&- || fail "no standard error"
works "no standard error"
"$KVFS_BIN" "$STORE" "$MNT" <&- >&- 2>&- || fail "none of the three"
works "none of the three"
# A tool without them fails, and makes no value of nothing.
"$KVFSCTL_BIN" get "$STORE" x >&- 2>/dev/null && fail "get to nowhere"
"$KVFSCTL_BIN" put "$STORE" x <&- 2>/dev/null && fail "put from nowhere"
same "after a put from nowhere" "none of the three" \
    "$("$KVFSCTL_BIN" get "$STORE" x)"

# Others are not kept: the reader of a pipe sees its end, a lock is free.
: >"$T/lock"
exec 8>"$T/lock"
flock 8 || fail "flock"
said=$("$KVFS_BIN" "$STORE" "$MNT" 3>&1 && echo started) || fail "in a pipe"
same "said" started "$said"
exec 8>&-
flock -n "$T/lock" true || fail "the daemon keeps a lock of its caller"
works "descriptors of the caller"

# Children can be waited for even if the caller ignored them.
(trap '' CHLD; exec "$KVFS_BIN" "$STORE" "$MNT") || fail "SIGCHLD ignored"
works "SIGCHLD ignored"

# A signal that was ignored stays so.
(trap '' HUP; exec "$KVFS_BIN" "$STORE" "$MNT") || fail "SIGHUP ignored"
PID=$(stat_value "$MNT" Pid)
kill -HUP "$PID"
# The same way and later: by the time that this ends another daemon, the
# first would have ended.
mkdir "$T/mnt2"
"$KVFS_BIN" "$T/store2" "$T/mnt2" || fail "a second mount"
second=$(stat_value "$T/mnt2" Pid)
kill -HUP "$second"
wait_gone "$second"
is_mounted "$MNT" || fail "SIGHUP ended a daemon that was to ignore it"
works "SIGHUP ignored"

# The largest file that it may write: an error, no death, and room again
# when something is removed.
(ulimit -f 8192; exec "$KVFS_BIN" "$STORE" "$MNT" -o memtable=1M) 2>"$T/err" ||
    fail "ulimit -f: $(cat "$T/err")"
PID=$(stat_value "$MNT" Pid)
i=0
while [ $i -lt 24 ] &&
    dd if=/dev/urandom of="$MNT/big$i" bs=1M count=1 conv=fsync 2>"$T/err"; do
	i=$((i + 1))
done
kill -0 "$PID" || fail "ulimit -f: the daemon is dead"
same "ulimit -f: read" "SIGHUP ignored" "$(cat "$MNT/x")"
[ $i -eq 24 ] || grep -q "No space left" "$T/err" ||
    fail "ulimit -f: $(cat "$T/err")"
rm -f "$MNT"/big* || fail "ulimit -f: removing"
works "file size limit"
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$STORE" | tail -n 1)"

# The wall clock goes back.
cat >"$T/clock.c" <<'C'
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* An hour earlier as long as the file exists that CLOCK_BACK names. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	const char *file = getenv("CLOCK_BACK");
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) &&
	    file != NULL && access(file, F_OK) == 0)
		ts->tv_sec -= 3600;
	return rc;
}
C
"${CC:-cc}" -shared -fPIC -o "$T/clock_back.so" "$T/clock.c" ||
    fail "cannot compile"
CLOCK_BACK=$T/back LD_PRELOAD=$T/clock_back.so "$KVFS_BIN" "$STORE" "$MNT" ||
    fail "with another clock"
PID=$(stat_value "$MNT" Pid)
: >"$T/back"
[ "$(stat_value "$MNT" "Uptime seconds")" -lt 3600 ] || fail "uptime"
echo new >"$MNT/past"
[ "$(stat -c %Y "$MNT/past")" -lt "$(($(date +%s) - 3000))" ] ||
    fail "the clock was not put back"
works "the clock"
