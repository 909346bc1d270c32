#!/bin/bash
# SPDX-License-Identifier: ISC
# A store that dies soon after each mount does not grow: its files are few
# whatever the number of lives. KVFS_TEST_ROUNDS: lives (16).
. "$(dirname "$0")/lib.sh"
rounds=${KVFS_TEST_ROUNDS:-16}
head -c 200000 /dev/urandom >"$T/data" || fail "random"
most=0
for i in $(seq "$rounds"); do
	start_kvfs
	cp "$T/data" "$MNT/large" && echo "$i" >"$MNT/small" || fail "write"
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	"$KVFSCTL_BIN" umount "$MNT" || fail "umount"
	n=$(find "$STORE" -type f | wc -l)
	[ "$n" -le "$most" ] || most=$n
done
echo "at most $most files, $(du -sk "$STORE" | cut -f 1) KiB at the end"
[ "$most" -le 24 ] || fail "$most files after some of $rounds lives"
kib=$(du -sk "$STORE" | cut -f 1)
[ "$kib" -le 16384 ] || fail "$kib KiB for 200 KB"
start_kvfs
cmp -s "$T/data" "$MNT/large" || fail "large is wrong"
same "small" "$rounds" "$(cat "$MNT/small")"
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
