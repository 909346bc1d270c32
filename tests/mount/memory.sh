#!/bin/sh
# SPDX-License-Identifier: ISC
# The daemon's memory stays within memory=, plus 5 percent, plus what it has
# with an empty store: the program and its libraries, the stacks of its
# threads. Each load wants more than there is.
. "$(dirname "$0")/lib.sh"

[ -w "/proc/self/clear_refs" ] || skip "/proc/self/clear_refs cannot be written"

budget_mib=32
# 3 MB were measured with an empty store; a thread that has served requests
# has touched 50 to 100 KiB of its stack.
base_max_kib=4096
stacks_kib=1600 # 16 threads
files=${KVFS_TEST_FULL:+100000}
files=${files:-12000}
large_mib=128

memory_of()
{
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$PID/status"
}

# The highest since the last call, against the bound.
within_budget()
{
	peak=$(memory_of VmHWM)
	echo "$1: $peak KiB at most, of $limit_kib"
	[ "$peak" -le "$limit_kib" ] ||
	    fail "$1: $peak KiB resident, bound $limit_kib:
$(grep -E '^(Memory|Cache|Inodes)' "$MNT/.kvfs/stats")"
	counted=$(stat_value "$MNT" "Memory counted")
	[ "$counted" -le $((budget_mib << 20)) ] ||
	    fail "$1: $counted bytes are counted"
	echo 5 >"/proc/$PID/clear_refs"
}

start_kvfs -o memory=${budget_mib}M
base_kib=$(memory_of VmHWM)
echo "empty: $base_kib KiB"
# A sanitizer sets aside terabytes of addresses, and much memory.
[ "$(memory_of VmSize)" -lt $((64 << 20)) ] || skip "built with a sanitizer"
[ "$base_kib" -le $base_max_kib ] || fail "$base_kib KiB without any data"
limit_kib=$((budget_mib * 1024 * 105 / 100 + base_kib + stacks_kib))
same "budget" $((budget_mib << 20)) "$(stat_value "$MNT" "Memory budget")"
grep -qx "memory=${budget_mib}M" "$MNT/.kvfs/options" || fail "no memory="
grep -q '^kvfs_memory_bytes{user="blocks"} [0-9]' "$MNT/.kvfs/metrics" ||
    fail "no memory by user in metrics"

# Many small files, and all of them read; names too long for their place.
mkdir "$MNT/small"
(
	cd "$MNT/small" || exit 1
	seq -f 'a-name-that-is-longer-than-most-%.0f' "$files" |
	    xargs -n 500 sh -c 'for f; do echo "$f $0 $f" >"$f"; done' \
		"$(printf '%01600d' 7)"
) || fail "small files"
within_budget "$files files created"
find "$MNT/small" -type f -print0 | xargs -0 -P 4 cat |
    wc -l >"$T/lines" || fail "cat"
same "lines read" "$files" "$(cat "$T/lines")"
within_budget "$files files read"

# A large directory, listed again and again while it changes.
mkdir "$MNT/large"
(
	cd "$MNT/large" || exit 1
	seq -f 'entry-%.0f' "$files" | xargs -n 2000 touch
) || fail "large directory"
for i in 1 2 3; do
	same "entries" $((files + i - 1)) "$(find "$MNT/large" -type f | wc -l)"
	touch "$MNT/large/more-$i"
	find "$MNT/large" -type f -newer "$MNT/small" >/dev/null
done
within_budget "a directory of $files listed"

# A file larger than the budget, several writers at once, read anew.
for i in 1 2 3 4; do
	head -c $((large_mib / 4 << 20)) /dev/urandom >"$MNT/big$i" &
done
wait
within_budget "$large_mib MiB written"
sum=$(cat "$MNT"/big* | cksum)
remounted_sum()
{
	[ "$(cat "$MNT"/big* | cksum)" = "$sum" ] || fail "contents differ"
}
# Not from the kernel's pages.
stop_kvfs
start_kvfs -o memory=${budget_mib}M
remounted_sum
for i in 1 2 3 4; do
	cat "$MNT/big$i" >/dev/null &
done
wait
within_budget "$large_mib MiB read"

# Overwriting, in place and whole, until much has to be merged.
for round in 1 2; do
	find "$MNT/small" -type f -name '*[0-4]' -print0 |
	    xargs -0 -n 500 -P 2 sh -c 'for f; do echo "$0" >"$f"; done' \
		"$(head -c 2000 /dev/urandom | base64)$round" ||
	    fail "overwriting"
	dd if=/dev/urandom of="$MNT/big1" bs=4k count=1000 seek=$round \
	    conv=notrunc 2>/dev/null || fail dd
done
within_budget "overwritten"
echo 1 >"$MNT/.kvfs/compact"
within_budget "compacted"
rm -rf "$MNT/large" "$MNT/small"
within_budget "removed"
tail -n 1 "$MNT/.kvfs/check" >"$T/check"
same "check" "Problems: 0" "$(cat "$T/check")"
within_budget "checked"
stop_kvfs

# Read-only, with less.
budget_mib=16
start_kvfs -o ro,memory=${budget_mib}M
limit_kib=$((budget_mib * 1024 * 105 / 100 + base_kib + stacks_kib))
cat "$MNT"/big* >/dev/null
within_budget "read-only"
stop_kvfs
