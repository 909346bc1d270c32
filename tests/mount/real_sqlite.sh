#!/bin/bash
# SPDX-License-Identifier: ISC
# sqlite3 on a mount in both journal modes: locks, shared memory, syncs;
# everything is there and sound after the store was mounted anew.
. "$(dirname "$0")/lib.sh"
need sqlite3

start_kvfs
for mode in delete wal; do
	db=$MNT/$mode.db
	sqlite3 "$db" "PRAGMA journal_mode=$mode;" >"$T/mode" ||
	    fail "$mode: journal_mode"
	same "journal mode" $mode "$(cat "$T/mode")"
	{
		echo 'CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT);'
		echo 'CREATE INDEX i ON t(v);'
		for b in $(seq 10); do
			echo 'BEGIN;'
			echo "WITH RECURSIVE n(x) AS (SELECT $((b * 300)) UNION
			    ALL SELECT x+1 FROM n WHERE x < $((b * 300 + 299)))
			    INSERT INTO t SELECT x, hex(randomblob(40)) FROM n;"
			echo 'COMMIT;'
		done
		echo 'BEGIN; DELETE FROM t; ROLLBACK;'
		echo 'DELETE FROM t WHERE id % 3 = 0;'
	} | sqlite3 -bail "$db" || fail "$mode: writing"

	# Two writers at once wait for each other.
	for w in 1 2; do
		for i in $(seq 15); do
			echo "INSERT INTO t(v) VALUES('w$w-$i');"
		done | sqlite3 -bail -cmd '.timeout 60000' "$db" &
	done
	wait -n || fail "$mode: a writer failed"
	wait -n || fail "$mode: a writer failed"
	same "$mode: rows of the writers" 30 \
	    "$(sqlite3 "$db" "SELECT count(*) FROM t WHERE v LIKE 'w_-%';")"
	sqlite3 "$db" 'SELECT * FROM t ORDER BY id;' >"$T/$mode.before"
done
remount
for mode in delete wal; do
	db=$MNT/$mode.db
	same "$mode: integrity" ok "$(sqlite3 "$db" 'PRAGMA integrity_check;')"
	sqlite3 "$db" 'SELECT * FROM t ORDER BY id;' >"$T/$mode.after"
	cmp "$T/$mode.before" "$T/$mode.after" || fail "$mode: rows differ"
done
stop_kvfs
