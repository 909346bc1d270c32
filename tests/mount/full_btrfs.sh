#!/bin/bash
# SPDX-License-Identifier: ISC
# A btrfs that compresses, filled by the store, and then to the last byte by
# another: writes fail with ENOSPC and nothing else, what was synced stays,
# deleting works and gives room back at once, and the store opens again.
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

# Another takes all there is.
dd if=/dev/zero of="$DISK/other" bs=64k 2>"$T/err"
sync -f "$DISK"
head -c 100000000 /dev/urandom >"$DISK/other2" 2>"$T/err"
refuses "No space left" cp "$T/4M" "$MNT/more"
rm -f "$MNT/more"
rm "$MNT/f16" || fail "rm while another has filled the disk"
verify 17
kill -KILL "$PID"
wait_gone "$PID"
PID=
"$KVFSCTL_BIN" umount "$MNT" || fail "umount"
start_kvfs
verify 17
rm "$MNT/f17" || fail "rm after mounting on a disk that another has filled"
rm "$DISK/other" "$DISK/other2"
dd if="$T/4M" of="$MNT/more" bs=1M conv=fsync 2>"$T/err" ||
    fail "no room when the other is gone: $(cat "$T/err")"
verify 18
same "check at the end" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
stop_kvfs
unmount_disk
