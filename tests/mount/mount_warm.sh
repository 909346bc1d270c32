#!/bin/sh
# SPDX-License-Identifier: ISC
# What was read before an unmount is in the cache soon after the next mount;
# kvfsctl in between, a backup and damage do it no harm. The mount that is
# looked at is read-only: no compaction replaces what the list names.
. "$(dirname "$0")/lib.sh"

# Waits for the end of the warm-up; prints how it ended.
warm_up_end()
{
	while state=$(stat_value "$MNT" Warm-up) && [ "$state" = reading ]; do
		:
	done
	echo "$state"
}

start_kvfs
same "first mount" "no list" "$(warm_up_end)"
mkdir "$MNT/d"
for i in $(seq 300); do
	seq "$i" 400 >"$MNT/d/$i"
done
echo 1 >"$MNT/.kvfs/compact"
stop_kvfs

start_kvfs
cat "$MNT"/d/* | cksum >"$T/sum"
stop_kvfs
[ -s "$STORE/HOT" ] || fail "no list of hot blocks"
cp "$STORE/HOT" "$T/hot"
"$KVFSCTL_BIN" get "$STORE" d/1 >/dev/null || fail get
"$KVFSCTL_BIN" check "$STORE" >/dev/null || fail check

start_kvfs -o ro
same "second mount" "done" "$(warm_up_end)"
blocks=$(stat_value "$MNT" "Warm-up blocks")
[ "$blocks" -gt 0 ] || fail "nothing was read back:
$(grep -E '^(Warm|Level)' "$MNT/.kvfs/stats")"
grep -q "^kvfs_warm_up_blocks_total $blocks\$" "$MNT/.kvfs/metrics" ||
    fail "no warm-up in metrics"
cat "$MNT"/d/* | cksum | cmp -s - "$T/sum" || fail "other contents"
stop_kvfs

# Short visits leave the list as it is, and a copy goes without it.
"$KVFSCTL_BIN" put "$STORE" new x || fail put
"$KVFSCTL_BIN" backup "$STORE" "$T/copy" >/dev/null || fail backup
cmp -s "$STORE/HOT" "$T/hot" || fail "the list has changed"
[ ! -e "$T/copy/HOT" ] || fail "a backup has the list"

# One that is damaged is removed, and nothing is said.
echo x | dd of="$STORE/HOT" bs=1 seek=30 conv=notrunc 2>/dev/null
"$KVFSCTL_BIN" check "$STORE" >/dev/null || fail "check with a damaged list"
start_kvfs
same "damaged" "no list" "$(warm_up_end)"
same "ignored" 1 "$(stat_value "$MNT" "Warm-up lists ignored")"
[ ! -e "$STORE/HOT" ] || fail "a damaged list stays"
cat "$MNT"/d/* | cksum | cmp -s - "$T/sum" || fail "contents, damaged list"
stop_kvfs
