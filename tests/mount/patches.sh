#!/bin/bash
# SPDX-License-Identifier: ISC
# A write of a part of a chunk costs its bytes. What was written in parts is
# there after kill -9 and after a mount, SQLite changes rows at random, and
# check finds nothing. KVFS_KILL_ROUNDS (4).
. "$(dirname "$0")/lib.sh"
need sqlite3
rounds=${KVFS_KILL_ROUNDS:-4}
writes=$top/build/tests/mount/patch_writes
[ -x "$writes" ] || fail "$writes: not built"

committed()
{
	stat_value "$MNT" 'Bytes committed'
}

# overwrite FILE COUNT: each 4 KiB, with an fsync, at places of their own.
overwrite()
{
	for i in $(seq "$2"); do
		dd if=/dev/urandom of="$1" bs=4k count=1 conv=notrunc,fsync \
		    seek=$((i * 37 % 16384)) status=none || fail 'overwriting'
	done
}

start_kvfs
dd if=/dev/urandom of="$MNT/large" bs=1M count=64 conv=fsync status=none
cp "$MNT/large" "$T/large"
before=$(committed)
overwrite "$MNT/large" 25
each=$((($(committed) - before) / 25))
[ $each -gt 4000 ] && [ $each -lt 5000 ] ||
    fail "an overwrite of 4096 bytes commits $each"
same 'patches' 25 "$(stat_value "$MNT" 'Patches written')"
# The same places again cost the same; the file is as a plain one would be.
before=$(committed)
overwrite "$MNT/large" 25
each=$((($(committed) - before) / 25))
[ $each -lt 5000 ] || fail "a second overwrite of 4096 bytes commits $each"
for i in $(seq 25); do
	dd if="$MNT/large" of="$T/large" bs=4k count=1 conv=notrunc \
	    skip=$((i * 37 % 16384)) seek=$((i * 37 % 16384)) status=none
done
same 'blocks' "$(stat -c %b "$T/large")" "$(stat -c %b "$MNT/large")"
cmp "$MNT/large" "$T/large" || fail 'the file differs'
remount
cmp "$MNT/large" "$T/large" || fail 'the file differs after a mount'

# A line at the end of a file of many lines.
seq -f 'line %g of a log that grows' 3000 >"$MNT/log"
before=$(committed)
for i in $(seq 40); do
	echo "line $i" >>"$MNT/log"
done
each=$((($(committed) - before) / 40))
[ $each -lt 4096 ] || fail "a line at the end commits $each bytes"
same 'lines' 3040 "$(wc -l <"$MNT/log")"

# Killed at random moments.
truncate -s 1M "$T/zeros"
cp --sparse=never "$T/zeros" "$MNT/random"
truncate -s 8192 "$T/copy"
for r in $(seq "$rounds"); do
	"$writes" write "$MNT/random" "$T/copy" "$r" &
	writer=$!
	sleep 0.$((RANDOM % 8 + 1))
	pid=$(stat_value "$MNT" Pid)
	patches=$(stat_value "$MNT" 'Patches written')
	kill -9 "$pid"
	wait $writer
	umount -l "$MNT" 2>/dev/null || fusermount3 -uz "$MNT"
	wait_gone "$pid"
	[ "$patches" -gt 0 ] || fail 'no patches were written'
	start_kvfs
	"$writes" check "$MNT/random" "$T/copy" ||
	    fail "round $r: not what was durable"
done

db=$MNT/rows.db
sqlite3 "$db" 'PRAGMA synchronous=normal;
CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); CREATE INDEX i ON t(v);
WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < 20000)
INSERT INTO t SELECT x, hex(randomblob(20)) FROM n;' >/dev/null
for i in $(seq 12); do
	echo "UPDATE t SET v=hex(randomblob(20)) WHERE id % 997 = $i;"
done | sqlite3 -bail "$db" || fail 'updates'
sqlite3 "$db" 'SELECT * FROM t;' >"$T/rows.before"
remount
same 'integrity' ok "$(sqlite3 "$db" 'PRAGMA integrity_check;')"
sqlite3 "$db" 'SELECT * FROM t;' >"$T/rows.after"
cmp "$T/rows.before" "$T/rows.after" || fail 'rows differ'
stop_kvfs
"$KVFSCTL_BIN" check "$STORE" >"$T/check" || fail "check: $(cat "$T/check")"
