#!/bin/bash
# SPDX-License-Identifier: ISC
# What is damaged is told by the path of its file, also one with two names,
# deep in directories, or in a mount; each damaged value once.
. "$(dirname "$0")/lib.sh"

# Turn over four bytes in the middle of a value that begins with $1.
damage()
{
	for f in "$STORE"/*.seg; do
		at=$(LC_ALL=C grep -obUaF -m 1 "$1" "$f" | head -1 | cut -d: -f1)
		[ -n "$at" ] || continue
		printf '\xff\xff\xff\xff' |
		    dd of="$f" bs=1 seek=$((at + 100)) conv=notrunc status=none
		return
	done
	fail "$1 is not to be found"
}

# put MARK FILE: a value that compression leaves alone, with a mark at its
# front, in one write: nothing of it is stored twice
put()
{
	{
		echo "$1"
		head -c 20000 /dev/urandom
	} >"$T/value"
	cp "$T/value" "$2"
}

# A table: the walk cannot pass, and says behind which file that is.
start_kvfs
mkdir "$MNT/many"
for i in $(seq 1000); do echo "$i" >"$MNT/many/$i"; done
stop_kvfs
table=$(find "$STORE" -name '*.sst' -size +4k | head -1)
printf '\xff\xff\xff\xff' | dd of="$table" bs=1 conv=notrunc status=none \
    seek=$(($(stat -c %s "$table") / 2))
"$KVFSCTL_BIN" check "$STORE" >"$T/out" 2>"$T/err"
grep -q "^damage: $table: at [0-9]*: " "$T/out" ||
    fail "the table: $(cat "$T/out")"
grep -Eq "^problem: many/[0-9]+: what comes here or behind" "$T/out" ||
    fail "the place: $(cat "$T/out")"
same "problems of a table" "Problems: 2" "$(tail -1 "$T/out")"
rm -r "$STORE"

start_kvfs
mkdir -p "$MNT/users/deep/er"
put mark-of-42 "$MNT/users/42"
put mark-of-x "$MNT/users/deep/er/x"
put mark-of-linked "$MNT/users/deep/linked"
ln "$MNT/users/deep/linked" "$MNT/users/deep/er/other name"
put mark-of-sound "$MNT/users/sound"
stop_kvfs
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$STORE")"
damage mark-of-42
damage mark-of-x
damage mark-of-linked
same "status" 1 "$("$KVFSCTL_BIN" check "$STORE" >"$T/direct" 2>"$T/err"
    echo $?)"
start_kvfs
cat "$MNT/.kvfs/check" >"$T/mounted"
stop_kvfs
for out in "$T/direct" "$T/mounted"; do
	same "problems" "Problems: 3" "$(tail -1 "$out")"
	for path in users/42 users/deep/er/x; do
		grep -q "^problem: $path: contents from byte 0 on: " "$out" ||
		    fail "$path is not named: $(cat "$out")"
	done
	grep -Eq '^problem: users/deep/(linked|er/other name): contents' \
	    "$out" || fail "the file of two names: $(cat "$out")"
done
