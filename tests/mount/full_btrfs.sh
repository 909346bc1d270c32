#!/bin/bash
# SPDX-License-Identifier: ISC
# A btrfs that compresses, filled by the store: writes fail with ENOSPC and
# nothing else, what was synced stays, deleting works and gives room back at
# once, and the store opens again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
head -c 4194304 /dev/urandom >"$T/4M" || fail "random"
n=0

# Files until one does not fit; those whose sync succeeded are 0 to n - 1.
fill()
{
	while dd if="$T/4M" of="$MNT/f$n" bs=1M conv=fsync 2>"$T/err"; do
		n=$((n + 1))
		[ $n -lt 200 ] || fail "has no end"
	done
	grep -q "No space left" "$T/err" || fail "$(cat "$T/err")"
	rm -f "$MNT/f$n" || fail "rm of what did not fit"
}

verify()
{
	local i

	for i in $(seq "$1" $((n - 1))); do
		cmp -s "$T/4M" "$MNT/f$i" || fail "f$i is lost or wrong"
	done
	same "state" writable "$(stat_value "$MNT" State)"
}

make_disk btrfs 512M
chattr +c "$DISK" || fail "chattr +c"
start_kvfs
fill
[ $n -ge 30 ] || fail "only $n files of 4 MiB in 512 MiB"
verify 0
for i in $(seq 0 15); do
	rm "$MNT/f$i" || fail "rm f$i on the full disk"
done
dd if="$T/4M" of="$MNT/again" bs=1M conv=fsync 2>"$T/err" ||
    fail "no room after 16 files were deleted: $(cat "$T/err")"
remount
verify 16
kill -KILL "$PID"
wait_gone "$PID"
PID=
"$KVFSCTL_BIN" umount "$MNT" || fail "umount"
start_kvfs
verify 16
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
stop_kvfs
unmount_disk
