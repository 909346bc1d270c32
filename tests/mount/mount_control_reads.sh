#!/bin/bash
# SPDX-License-Identifier: ISC
# Files of .kvfs, whether the kernel tells of open and close or not: each open
# has a text of its own; looking begins no work; what a reader holds goes with
# it, however it ends; slow work is done once at a time, and told of.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
command -v fsfreeze >/dev/null || fail "fsfreeze (util-linux) is missing"
trap 'status=$?; fsfreeze -u "$DISK" 2>/dev/null; (exit $status)
    disk_cleanup' EXIT
tool calls control_calls
c=$MNT/.kvfs

metric()
{
	sed -n "s/^kvfs_$1 //p" "$c/metrics"
}

backups_open()
{
	[ "$(metric backups_open)" = "$1" ]
}

# Two opens, and what was changed between them.
texts()
{
	echo sync=every:3 >"$c/options"
	exec 3<"$c/options"
	echo sync=every:4 >"$c/options"
	exec 4<"$c/options"
	same "$1: the first open" sync=every:3 "$(grep ^sync= <&3)"
	same "$1: the second open" sync=every:4 "$(grep ^sync= <&4)"
	exec 3<&- 4<&-
	echo sync=every:5 >>"$c/options"
	echo sync=nonsense >>"$c/options" 2>/dev/null && fail "$1: nonsense"
	same "$1: appended" sync=every:5 "$(grep ^sync= "$c/options")"
	local before
	before=$(metric 'request_seconds_count{op="create"}')
	mkdir "$MNT/new" && rmdir "$MNT/new"
	same "$1: figures are of now" $((before + 1)) \
	    "$(metric 'request_seconds_count{op="create"}')"
}

# Many at once: each text is whole.
at_once()
{
	local i
	for i in 1 2 3 4; do
		cat "$c/stats" "$c/stats" "$c/stats" >"$T/stats.$i" &
	done
	wait
	for i in 1 2 3 4; do
		same "$1: texts at once" 3 "$(grep -c ^Version: "$T/stats.$i")"
		same "$1: ends of texts" 3 \
		    "$(grep -c "^$(tail -n 1 "$T/stats.$i" | cut -d: -f1):" \
		    "$T/stats.$i")"
	done
}

copies()
{
	ls -la "$c" >"$T/list"
	stat "$c/backup" "$c/check" >"$T/list"
	find "$c" -type f -newer "$c/none" 2>"$T/err"
	same "$1: who looks opens no backup" 0 "$(metric backups_open)"
	cp "$c/check" "$c/stats" "$T"
	same "$1: check, copied" "Problems: 0" "$(tail -n 1 "$T/check")"
	grep -q ^Version: "$T/stats" || fail "$1: stats, copied"
	# One backup, read in several ways.
	exec 5<"$c/backup"
	for how in cat "dd bs=7k status=none" "dd bs=1M iflag=direct status=none"; do
		$how </proc/self/fd/5 | md5sum
	done >"$T/sums"
	tail -c +1 <&5 | md5sum >>"$T/sums"
	same "$1: ways to read a backup" 1 "$(sort -u "$T/sums" | wc -l)"
	backups_open 1 || fail "$1: one backup"
	tar -tf "$c/backup" | grep -q ^MANIFEST- || fail "$1: tar"
	exec 5<&-
	await "$1: the end of backups" backups_open 0
}

# Backups go with their readers: closed, killed midway, ended. Two may be read
# at once, not opened at once.
readers()
{
	local first second
	exec 5<"$c/backup" 6<"$c/backup"
	head -c 1 <&5 >"$T/out"
	head -c 1 <&6 >"$T/out"
	backups_open 2 || fail "$1: two backups"
	exec 5<&-
	await "$1: the end of one of two" backups_open 1
	echo end >"$c/backup"
	refuses canceled dd bs=1M iflag=direct of="$T/out" <&6
	exec 6<&-
	await "$1: the end of both" backups_open 0
	mkfifo "$T/pipe"
	cat "$c/backup" >"$T/pipe" &
	first=$!
	exec 7<"$T/pipe"
	await "$1: a backup" backups_open 1
	cat "$c/backup" >"$T/pipe" &
	second=$!
	await "$1: two backups" backups_open 2
	{
		kill -9 $first
		wait $first
		await "$1: the end of a killed one" backups_open 1
		kill $second
		wait $second
	} 2>"$T/err"
	exec 7<&-
	await "$1: the end of both" backups_open 0
	rm "$T/pipe"
}

# The disk stands still: of two checks one goes on when it does, the other is
# told at once. Who only looks does not wait.
slow()
{
	local pids='' i

	mkdir "$MNT/waits.$2"
	fsfreeze -f "$DISK" || fail "fsfreeze"
	for i in 1 2; do
		cat "$c/check" >"$T/slow.$i" 2>"$T/busy.$i" &
		pids="$pids $!"
	done
	await "$1: a second check is refused" \
	    grep -q 'resource busy' "$T/busy.1" "$T/busy.2"
	timeout -s KILL 10 stat "$c/check" >"$T/out" || fail "$1: stat waits"
	timeout -s KILL 10 cat "$c/stats" >"$T/out" || fail "$1: stats waits"
	{
		[ "$2" != kill ] || kill -9 $pids
		fsfreeze -u "$DISK"
		wait $pids
	} 2>"$T/err"
	[ "$2" = kill ] || same "$1: the slow check" "Problems: 0" \
	    "$(cat "$T/slow.1" "$T/slow.2")"
	same "$1: the next check" "Problems: 0" "$(cat "$c/check")"
}

make_disk ext4 64M
for mode in noatime relatime kernel_writeback; do
	start_kvfs -o "$mode,sync=checkpoint,wal_buffer=1M"
	head -c 3M /dev/urandom >"$MNT/big"
	touch "$T/any"
	texts $mode
	at_once $mode
	"$calls" "$c" "$T/any" $mode || fail "$mode: calls"
	[ $mode = kernel_writeback ] || copies $mode
	[ $mode = kernel_writeback ] || readers $mode
	slow $mode wait
	slow $mode kill
	# What is open when the mount ends.
	exec 5<"$c/backup" 6<"$c/stats"
	head -c 1 <&5 >"$T/out"
	umount -l "$MNT"
	exec 5<&- 6<&-
	wait_gone "$PID"
	PID=
	rm -rf "$STORE"
done
