#!/bin/bash
# SPDX-License-Identifier: ISC
# A small space that is mostly dead serves: files are overwritten, replaced by
# rename, appended to and cut, filled and removed, at once one after the other,
# and nobody hears ENOSPC while there is something to free. What is removed
# comes back in full. With max_size, and on ext4. KVFS_TEST_ROUNDS: how often (10).
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
rounds=${KVFS_TEST_ROUNDS:-10}
head -c 4194304 /dev/urandom >"$T/4M" || fail "random"

avail()
{
	df -k --output=avail "$MNT" | tail -n 1
}

# Each way for that many rounds.
reuse()
{
	local what=$1 i

	for i in $(seq "$rounds"); do
		dd if="$T/4M" of="$MNT/over" bs=1M conv=notrunc 2>"$T/err" ||
		    fail "$what: overwrite, round $i: $(cat "$T/err")"
		cp "$T/4M" "$MNT/new" && mv "$MNT/new" "$MNT/replaced" ||
		    fail "$what: replace, round $i"
		head -c 1048576 "$T/4M" >>"$MNT/grows" ||
		    fail "$what: append, round $i"
		[ $((i % 5)) != 0 ] || truncate -s 0 "$MNT/grows" ||
		    fail "$what: cut, round $i"
	done
	cmp -s "$T/4M" "$MNT/over" && cmp -s "$T/4M" "$MNT/replaced" ||
	    fail "$what: wrong contents"
	rm "$MNT"/*
}

# On a full disk what is there is overwritten, whole files and parts of them,
# all over the place: each leaves some of its segment dead.
overwrite_full()
{
	local what=$1 n=$2 i f at

	for i in $(seq "$rounds"); do
		f=$((i * 37 % n)) at=$((i * 123457 % 900000))
		dd if="$T/4M" of="$MNT/f$f" bs=1000000 count=1 conv=notrunc \
		    2>"$T/err" || fail "$what: overwrite $i: $(cat "$T/err")"
		dd if="$T/4M" of="$MNT/f$((f / 2))" bs=100000 count=1 \
		    oflag=seek_bytes seek=$at conv=notrunc 2>"$T/err" ||
		    fail "$what: overwrite a part, $i: $(cat "$T/err")"
	done
}

# Fill it several times: each time as much fits, and on the full disk what is
# there can be overwritten.
refill()
{
	local what=$1 least=$2 i n

	for i in 1 2 3; do
		n=0
		while head -c 1000000 "$T/4M" 2>"$T/err" >"$MNT/f$n"; do
			n=$((n + 1))
			[ $n -lt 1000 ] || fail "$what: has no end"
		done
		[ $n -ge "$least" ] || fail "$what: only $n files, time $i"
		[ $i -lt 3 ] || overwrite_full "$what" $n
		rm "$MNT"/f* || fail "$what: remove"
	done
}

all()
{
	local before

	before=$(avail)
	reuse "$1"
	refill "$1" "$2"
	await "$1: all of the space is back" eval \
	    "[ \$(avail) -gt $((before * 9 / 10)) ]"
	same "$1: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
	same "$1: state" writable "$(stat_value "$MNT" State)"
}

start_kvfs -o max_size=64M
all max_size 44
stop_kvfs
make_disk ext4 64M -m 0
start_kvfs
all ext4 38
stop_kvfs
unmount_disk
