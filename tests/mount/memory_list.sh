#!/bin/sh
# SPDX-License-Identifier: ISC
# The daemon's memory stays within memory= and 5 percent, with the least that
# it takes, while a tree is listed that has many times more names than there
# is room for: by find(1), by ls(1) with all attributes, and by many
# descriptors that are read by half.
. "$(dirname "$0")/lib.sh"

[ -w "/proc/self/clear_refs" ] || skip "/proc/self/clear_refs cannot be written"

budget_mib=16
dirs=${KVFS_TEST_FULL:+500}
dirs=${dirs:-24}
each=1000
open_dirs=200
inodes_max=5500 # a tenth of the budget, and what one reply brings

memory_of()
{
	sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$PID/status"
}

# The highest since the last call.
within_budget()
{
	peak=$(memory_of VmHWM)
	inodes=$(stat_value "$MNT" "Inodes in memory")
	echo "$1: $peak KiB at most, $inodes inodes"
	[ "$peak" -le $((budget_mib * 1024 * 105 / 100)) ] ||
	    fail "$1: $peak KiB resident: $(grep '^Memory' "$MNT/.kvfs/stats")"
	[ "$inodes" -le $inodes_max ] || fail "$1: $inodes inodes in memory"
	echo 5 >"/proc/$PID/clear_refs"
}

start_kvfs -o memory=${budget_mib}M
[ "$(memory_of VmSize)" -lt $((64 << 20)) ] || skip "built with a sanitizer"
(cd "$MNT" && seq -f 'd%.0f' $dirs | xargs mkdir &&
	for d in *; do
		(cd "$d" && seq -f 'file-%.0f' $each | xargs touch)
	done) || fail "making the tree"
within_budget "made"
for i in 1 2; do
	same "files" $((dirs * each)) "$(find "$MNT" -type f | wc -l)"
	within_budget "find"
	ls -lR "$MNT" >"$T/lines" || fail ls
	same "lines" $((dirs * each)) "$(grep -c 'file-' "$T/lines")"
	within_budget "ls -lR"
done
python3 - "$MNT" $dirs $each $open_dirs >"$T/seen" <<'PY' || fail "open directories"
import os, sys
mnt, dirs, each, count = sys.argv[1], *map(int, sys.argv[2:])
all = [os.scandir('%s/d%d' % (mnt, i % dirs + 1)) for i in range(count)]
names = [[next(it).name for _ in range(each // 2)] for it in all]
for it, seen in zip(all, names):
    seen += [e.name for e in it]
    assert len(set(seen)) == each and len(seen) == each, len(seen)
PY
within_budget "open directories"
stop_kvfs
