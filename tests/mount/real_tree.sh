#!/bin/bash
# SPDX-License-Identifier: ISC
# A real tree, copied in, is the same byte for byte and attribute for
# attribute, before and after the store was mounted anew. KVFS_TEST_FULL=1
# takes 50,000 files.
. "$(dirname "$0")/lib.sh"
need rsync

limit=3000
[ "${KVFS_TEST_FULL:-0}" = 0 ] || limit=50000

# Whole directories until there are enough files, with all kinds of things
# that a system has, and some that it has not.
mkdir "$T/tree"
for d in /usr/include/linux /usr/share/doc /usr/include /usr/lib/python3 \
    /usr/share /usr/lib; do
	have=$(find "$T/tree" -type f | wc -l)
	[ "$have" -lt "$limit" ] || break
	[ -d $d ] || continue
	find $d -xdev \( -type f -o -type l \) -size -4M -readable -print0 \
	    2>/dev/null | head -z -n $((limit - have)) |
	    rsync -a --from0 --files-from=- / "$T/tree/" || fail "reference"
done
mkdir -p "$T/tree/odd/empty" "$T/tree/odd/$(printf 'n%.0s' $(seq 255))"
printf 'x' >"$T/tree/odd/$(printf 'new\nline \377 * ~')"
ln -s nowhere "$T/tree/odd/dangling"
ln "$T/tree/odd/dangling" "$T/tree/odd/dangling2" 2>/dev/null
seq 1000 >"$T/tree/odd/one"
ln "$T/tree/odd/one" "$T/tree/odd/two"
mkfifo "$T/tree/odd/pipe"
truncate -s 10M "$T/tree/odd/sparse"
printf middle | dd of="$T/tree/odd/sparse" bs=1 seek=5000000 conv=notrunc \
    2>/dev/null
touch -d '1999-12-31 23:59:59.123456789' "$T/tree/odd/one"
chmod 4711 "$T/tree/odd/sparse"
chmod 1777 "$T/tree/odd/empty"
setfattr -n user.colour -v blue "$T/tree/odd/one" 2>/dev/null
has_root && chown -R 12345:54321 "$T/tree/odd/empty"

compare()
{
	diff -r --no-dereference -q "$T/tree" "$MNT/tree" | grep -v fifo &&
	    fail "$1: diff"
	rsync -aHX --checksum --delete --dry-run --itemize-changes \
	    "$T/tree/" "$MNT/tree/" >"$T/changes" || fail "$1: rsync"
	[ ! -s "$T/changes" ] || fail "$1: $(head -n 20 "$T/changes")"
}

start_kvfs
rsync -aHXS "$T/tree/" "$MNT/tree/" || fail "copying in"
compare "after the copy"
remount
compare "after a remount"
[ "$(stat -c %b "$MNT/tree/odd/sparse")" -lt 2000 ] ||
    fail "a hole takes space"
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
rm -rf "$MNT/tree" || fail "rm -rf"
same "what is left" "" "$(ls -A "$MNT")"
"$KVFSCTL_BIN" umount "$MNT" || fail "umount"
PID=
same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$STORE")"
