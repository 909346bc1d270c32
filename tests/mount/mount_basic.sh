#!/bin/sh
# SPDX-License-Identifier: ISC
# What is written with the shell's tools reads back the same, also after
# the store was mounted anew.
. "$(dirname "$0")/lib.sh"

start_kvfs
is_mounted "$MNT" || fail "the type is not fuse.kvfs"
grep -q "^$STORE $MNT " /proc/self/mounts || fail "the source is not STORE"

echo one >"$MNT/a"
mkdir "$MNT/users"
printf 'name=%s\n' Ada >"$MNT/users/42"
printf 'more\n' >>"$MNT/a"
same "appended" "one
more" "$(cat "$MNT/a")"
echo three >"$MNT/a"
same "truncated and written" three "$(cat "$MNT/a")"
: >"$MNT/empty"
same "size of an empty file" 0 "$(stat -c %s "$MNT/empty")"

# Contents of every size around the borders of chunks and pages.
mkdir "$MNT/sizes"
for n in 1 511 4095 4096 4097 32767 32768 32769 131072 1048577 5000000; do
	head -c $n /dev/urandom >"$T/ref"
	cp "$T/ref" "$MNT/sizes/$n"
	cmp "$T/ref" "$MNT/sizes/$n" || fail "$n bytes differ"
done

# Rename over, in and out of directories.
echo old >"$MNT/target"
echo new >"$MNT/source"
mv "$MNT/source" "$MNT/target"
same "renamed over" new "$(cat "$MNT/target")"
[ ! -e "$MNT/source" ] || fail "source is still there"
mkdir -p "$MNT/x/y"
mv "$MNT/target" "$MNT/x/y/"
mv "$MNT/x" "$MNT/z"
same "in a renamed directory" new "$(cat "$MNT/z/y/target")"
refuses "not empty" rmdir "$MNT/z"
rm -r "$MNT/z"
[ ! -e "$MNT/z" ] || fail "z is still there"

# A tree, by tools that use many calls.
mkdir "$T/tree"
for d in 1 2 3; do
	mkdir "$T/tree/$d"
	for f in 1 2 3 4 5; do
		seq $((d * f * 300)) >"$T/tree/$d/f$f"
	done
done
ln -s 1/f1 "$T/tree/link"
cp -a "$T/tree" "$MNT/tree"
diff -r --no-dereference "$T/tree" "$MNT/tree" || fail "cp -a differs"
(cd "$MNT" && tar cf - tree) | (mkdir "$T/back" && cd "$T/back" && tar xf -)
diff -r --no-dereference "$T/tree" "$T/back/tree" || fail "tar differs"

# A listing is current after each change of the directory.
mkdir "$MNT/list"
for i in 1 2 3; do
	echo $i >"$MNT/list/$i"
	same "listing" $i "$(find "$MNT/list" -type f | wc -l)"
done
rm "$MNT/list/2"
same "listing after rm" "1 3" "$(echo $(ls "$MNT/list"))"

list()
{
	(cd "$MNT" && find . -printf '%p %y %m %n %U %G %s %T@ %l\n' | sort &&
	    find . -type f -exec sha256sum {} + | sort)
}
list >"$T/before"
remount
list >"$T/after"
diff "$T/before" "$T/after" || fail "changed by mounting anew"

# Space: df says what the disk below has, and counts what is there.
df "$MNT" >/dev/null || fail "df"
[ "$(stat -f -c %l "$MNT")" = 255 ] || fail "longest name of statfs"

# Read-only: nothing changes, everything reads.
remount -o ro
list >"$T/after"
diff "$T/before" "$T/after" || fail "changed by a read-only mount"
refuses "Read-only file system" touch "$MNT/new"
stop_kvfs
