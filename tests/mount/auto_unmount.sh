#!/bin/sh
# SPDX-License-Identifier: ISC
# auto_unmount: the mount goes with the daemon, however that ends, and nothing
# else goes with it; nobody waits for the process that watches.
. "$(dirname "$0")/lib.sh"

# Wait until a command succeeds.
await()
{
	what=$1
	shift
	i=0
	while ! "$@"; do
		i=$((i + 1))
		[ $i -lt 1000 ] || fail "in vain: $what"
		sleep 0.02
	done
}

gone()
{
	! grep -q " $MNT fuse" /proc/self/mounts
}

watcher()
{
	pgrep -f "^kvfs: auto_unmount of $MNT\$"
}

no_watcher()
{
	! watcher >/dev/null
}

# In a pipe, which ends with the start.
out=$(timeout 20 "$KVFS_BIN" "$STORE" "$MNT" -o auto_unmount 2>&1) ||
    fail "auto_unmount in a pipe: $out"
PID=$(stat_value "$MNT" Pid)
same "how many watch" 1 "$(watcher | wc -l)"
ls -l "/proc/$(watcher)/fd" >"$T/fds"
grep -Eq "fuse|$T|pipe" "$T/fds" && fail "it holds: $(cat "$T/fds")"
# Set-id bits and devices are as without it.
if has_root; then
	grep " $MNT fuse" /proc/self/mounts | grep -Eq 'nosuid|nodev' &&
	    fail "options: $(grep " $MNT fuse" /proc/self/mounts)"
fi
# A signal that the watcher gets, too, does not end it before.
kill -TERM "$(watcher)"
kill -KILL "$PID"
await "the mount goes" gone
await "the watcher ends" no_watcher
wait_gone "$PID"

# An end in order.
start_kvfs -o auto_unmount
stop_kvfs
await "the watcher ends" no_watcher

# In the foreground, in a pipe, killed.
("$KVFS_BIN" -f "$STORE" "$MNT" -o auto_unmount 2>&1 &
    echo $! >"$T/pid") | cat >"$T/out" &
reader=$!
await "a mount" test -d "$MNT/.kvfs"
kill -KILL "$(cat "$T/pid")"
timeout 20 sh -c "while kill -0 $reader 2>/dev/null; do sleep 0.02; done" ||
    fail "the pipe does not end"
await "the mount goes" gone

# A start that fails leaves nobody who watches.
mkdir "$T/other"
echo mine >"$T/other/file"
"$KVFS_BIN" "$T/other" "$MNT" -o auto_unmount 2>/dev/null &&
    fail "started on a directory of others"
await "the watcher ends" no_watcher

if has_root; then
	# Something mounted over it, and something below, stay.
	for where in "" /sub; do
		start_kvfs -o auto_unmount
		mkdir -p "$MNT/sub"
		mount -t tmpfs other "$MNT$where" || fail "mount -t tmpfs"
		touch "$MNT$where/precious"
		kill -KILL "$PID"
		wait_gone "$PID"
		await "the watcher ends" no_watcher
		PID=
		grep -q "^other $MNT$where tmpfs" /proc/self/mounts ||
		    fail "what was mounted at $MNT$where has been taken off"
		umount "$MNT$where" || fail "umount of tmpfs"
		umount -l "$MNT" || fail "umount of the dead mount"
	done
	# The mount has been moved.
	mkdir "$T/place" "$T/moved"
	mount -t tmpfs place "$T/place" || fail "mount -t tmpfs"
	mount --make-private "$T/place"
	MNT=$T/place/mnt
	mkdir "$MNT"
	start_kvfs -o auto_unmount
	if mount --move "$MNT" "$T/moved" 2>/dev/null; then
		kill -KILL "$PID"
		wait_gone "$PID"
		await "the watcher ends" no_watcher
		grep -q " $T/moved fuse" /proc/self/mounts &&
		    fail "a moved mount stays"
	else
		fail "mount --move"
	fi
	PID=
	umount "$T/place"
fi
exit 0
