#!/bin/sh
# SPDX-License-Identifier: ISC
# Ending a mount takes off that mount, and nothing that lies over it, on it
# or under it. An end by force lets programs go on with what they have open.
. "$(dirname "$0")/lib.sh"

# Open files live on after umount -f; what they get is kept.
start_kvfs
exec 9>"$MNT/file"
echo early >&9
"$KVFSCTL_BIN" umount -f "$MNT" 9>&- 2>"$T/err" &
ctl=$!
timeout 30 sh -c "until grep -q 'process $PID, goes on' '$T/err'; do
    sleep 0.1; done" || fail "umount -f: $(cat "$T/err")"
! is_mounted "$MNT" || fail "umount -f: still mounted"
echo late >&9 || fail "writing after umount -f"
exec 9>&-
wait $ctl || fail "umount -f: status $?"
[ ! -e "/proc/$PID/exe" ] || fail "umount -f: the daemon goes on"
PID=
same "written around umount -f" "early late" \
    "$("$KVFSCTL_BIN" get "$STORE" file | tr '\n' ' ' | sed 's/ $//')"

[ "$(id -u)" = 0 ] || exit 0

count()
{
	grep -c " $1 $2" /proc/self/mounts
}

# A bind mount goes on, as that of a disk would.
start_kvfs
mkdir "$MNT/sub" "$T/bind"
echo bound >"$MNT/sub/x"
mount --bind "$MNT/sub" "$T/bind" || fail "mount --bind"
"$KVFSCTL_BIN" umount "$MNT" 2>"$T/err" || fail "umount: $(cat "$T/err")"
same "through the bind mount" bound "$(cat "$T/bind/x")"
umount "$T/bind" || fail "umount of the bind mount"
wait_gone "$PID"

# Something mounted below: refused, even by force; a signal leaves it.
start_kvfs
mount -t tmpfs below "$MNT/sub" || fail "mount -t tmpfs"
touch "$MNT/sub/precious"
for force in "" -f; do
	# shellcheck disable=SC2086
	if "$KVFSCTL_BIN" umount $force "$MNT" 2>"$T/err"; then
		fail "umount $force with a mount below"
	fi
	grep -q "$MNT/sub is mounted on it" "$T/err" ||
	    fail "umount $force: $(cat "$T/err")"
	[ -e "$MNT/sub/precious" ] || fail "umount $force took the mount below"
done
kill "$PID"
wait_gone "$PID"
same "mounts below after SIGTERM" 1 "$(count "$MNT/sub" tmpfs)"
# The next start does not take it off either.
"$KVFS_BIN" "$STORE" "$MNT" 2>"$T/err" && fail "started below a mount"
grep -q "$MNT/sub is mounted on it" "$T/err" || fail "$(cat "$T/err")"
same "mounts below after a start" 1 "$(count "$MNT/sub" tmpfs)"
umount "$MNT/sub" || fail "umount of what is below"

# Something mounted over it.
start_kvfs 2>/dev/null
mount -t tmpfs over "$MNT" || fail "mount -t tmpfs"
"$KVFSCTL_BIN" umount "$STORE" 2>"$T/err" && fail "umount of a covered mount"
same "mounts over it after umount" 1 "$(count "$MNT" tmpfs)"
kill "$PID"
wait_gone "$PID"
same "mounts over it after SIGTERM" 1 "$(count "$MNT" tmpfs)"
umount "$MNT" || fail "umount of what is over it"

# Something that was there before, seen again when ours has gone by hand
# but is still used.
umount -l "$MNT"
mount -t tmpfs under "$MNT" || fail "mount -t tmpfs"
start_kvfs
exec 9>"$MNT/held"
umount -l "$MNT"
kill "$PID"
exec 9>&-
wait_gone "$PID"
PID=
same "mounts under it after SIGTERM" 1 "$(count "$MNT" tmpfs)"
umount "$MNT" || fail "umount of what was under it"

# Once it has gone, another daemon's mount gets its numbers, which a daemon that
# is slow to end does not take for its own.
slow_store=$STORE
STORE=$T/second
mkdir "$T/slow"
numbers()
{
	sed -n "s,^\([0-9]*\) [0-9]* \([0-9:]*\) / $1 .*,\1 \2,p" \
	    /proc/self/mountinfo
}
got=
for i in $(seq 50); do
	"$KVFS_BIN" "$slow_store" "$T/slow" || fail "the slow daemon"
	slow=$(stat_value "$T/slow" Pid)
	was=$(numbers "$T/slow")
	kill -STOP "$slow"
	umount -l "$T/slow" || fail "umount of the slow daemon"
	start_kvfs
	got=$(numbers "$MNT")
	kill -CONT "$slow"
	wait_gone "$slow"
	is_mounted "$MNT" || fail "a daemon that ended took off another's mount"
	stop_kvfs
	# Others may mount meanwhile.
	[ "$got" != "$was" ] || break
done
[ -n "$got" ] || fail "no numbers of $MNT"
same "the numbers of a mount that came later" "$was" "$got"
