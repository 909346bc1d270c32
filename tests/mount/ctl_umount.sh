#!/bin/sh
# SPDX-License-Identifier: ISC
# kvfsctl umount returns when the daemon has ended and everything is on
# disk: the store can be opened the moment it returns.
. "$(dirname "$0")/lib.sh"

for name in "$MNT" "$STORE" "$MNT/"; do
	start_kvfs -o flush=lazy,writeback=60000,sync=off
	for i in 1 2 3; do
		head -c 100000 /dev/urandom >"$MNT/$i"
	done
	sum=$(cat "$MNT"/[123] | sha256sum)
	"$KVFSCTL_BIN" umount "$name" || fail "umount $name: status $?"
	state=$(sed -n 's/^State:[^A-Z]*\([A-Z]\).*/\1/p' "/proc/$PID/status" \
	    2>/dev/null)
	# A zombie has ended and waits for its parent.
	[ -z "$state" ] || [ "$state" = Z ] || fail "the daemon is still there"
	PID=
	is_mounted "$MNT" && fail "still mounted"
	same "contents" "$sum" "$(for i in 1 2 3; do
		"$KVFSCTL_BIN" get "$STORE" $i
	done | sha256sum)"
done

# Not mounted, and no store at all.
"$KVFSCTL_BIN" umount "$STORE" 2>"$T/err"
same "status of umount twice" 1 $?
same "message" "kvfsctl: $STORE: not mounted" "$(cat "$T/err")"
"$KVFSCTL_BIN" umount "$MNT" 2>"$T/err"
same "status of umount of a plain directory" 1 $?
"$KVFSCTL_BIN" umount "$T/none" 2>"$T/err"
same "status of umount of nothing" 1 $?
same "message" "kvfsctl: $T/none: No such file or directory" "$(cat "$T/err")"

# In use: refused, and nothing has changed; -f ends it all the same.
start_kvfs
exec 9>"$MNT/held"
"$KVFSCTL_BIN" umount "$MNT" 2>"$T/err" && fail "unmounted while in use"
is_mounted "$MNT" || fail "a refused umount unmounted"
echo still works >"$MNT/x" || fail "a refused umount broke the mount"
echo held >&9
exec 9>&-
"$KVFSCTL_BIN" umount "$MNT" || fail "umount after the close"
PID=
same "held" held "$("$KVFSCTL_BIN" get "$STORE" held)"

# A mount whose daemon was killed: seen as such, and ended by either name.
for name in "$MNT" "$STORE"; do
	start_kvfs
	echo before >"$MNT/x"
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	"$KVFSCTL_BIN" get "$MNT" x >"$T/out" 2>"$T/err"
	same "status of get on a dead mount" 1 $?
	grep -q 'daemon of this mount is gone' "$T/err" || fail "$(cat "$T/err")"
	"$KVFSCTL_BIN" umount "$name" || fail "umount of a dead mount"
	is_mounted "$MNT" && fail "the dead mount is still there"
	same "contents" before "$("$KVFSCTL_BIN" get "$STORE" x)"
done

# A name that stands for another store in the mount table is no trap.
start_kvfs -o fsname=another
"$KVFSCTL_BIN" umount "$STORE" || fail "umount with fsname"
PID=
! is_mounted "$MNT" || fail "still mounted"
