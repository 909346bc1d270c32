#!/bin/sh
# SPDX-License-Identifier: ISC
# The ends of a mount: unmounted, told to end, killed.
. "$(dirname "$0")/lib.sh"

# A signal unmounts and keeps everything, contents that wait too.
for sig in TERM INT HUP; do
	start_kvfs -o flush=lazy,writeback=60000
	echo $sig >"$MNT/$sig"
	kill -$sig "$PID"
	wait_gone "$PID"
	! is_mounted "$MNT" || fail "still mounted after SIG$sig"
	start_kvfs
	same "contents after SIG$sig" $sig "$(cat "$MNT/$sig")"
	stop_kvfs
done

# In the foreground, with the exit status. Nobody says when it is done with
# starting, which looks at the mount too: so umount may find it busy.
start_foreground()
{
	"$KVFS_BIN" -f "$STORE" "$MNT" &
	child=$!
	PID=$child
	timeout 60 sh -c "until [ -e '$MNT/.kvfs' ]; do sleep 0.02; done" ||
	    fail "kvfs -f does not come up"
}
start_foreground
same "Pid in the foreground" $child "$(stat_value "$MNT" Pid)"
tries=0
until unmount "$MNT" 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 500 ] || fail "cannot unmount kvfs -f"
	sleep 0.02
done
wait $child || fail "kvfs -f: exit status $? after umount"
start_foreground
kill $child
wait $child || fail "kvfs -f: exit status $? after SIGTERM"
! is_mounted "$MNT" || fail "still mounted"

# A mount in use is not taken off by umount; a signal ends it all the same.
start_kvfs -o flush=lazy,writeback=60000
exec 9>"$MNT/held"
echo kept >&9
refuses "busy" umount "$MNT"
[ -e "$MNT/held" ] || fail "does not answer after umount said busy"
kill "$PID"
wait_gone "$PID"
exec 9>&-
! is_mounted "$MNT" || fail "still mounted after SIGTERM while in use"
start_kvfs
same "written before SIGTERM" kept "$(cat "$MNT/held")"

# Killed: the dead mount is cleared by the next start, which says so; what
# close(2) has committed is there.
echo committed >"$MNT/closed"
# The kernel remembers the root's attributes beyond the daemon's death.
stat "$MNT" "$MNT/closed" >/dev/null
kill -9 "$PID"
wait_gone "$PID"
# "not connected", or at first "connection abort".
refuses "connect" ls "$MNT"
"$KVFS_BIN" "$STORE" "$MNT" 2>"$T/err" ||
    fail "start over a dead mount: $(cat "$T/err")"
grep -q "cleared the dead mount" "$T/err" || fail "it does not say so"
PID=$(stat_value "$MNT" Pid)
same "closed before the kill" committed "$(cat "$MNT/closed")"
same "check" "Problems: 0" "$(tail -n 1 "$MNT/.kvfs/check")"
same "one mount" 1 "$(grep -c " $MNT fuse" /proc/self/mounts)"
stop_kvfs
