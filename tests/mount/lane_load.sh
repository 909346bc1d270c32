#!/bin/bash
# SPDX-License-Identifier: ISC
# kvfsctl load and dump: what tar(1) unpacks, with all attributes, is what load
# leaves, mounted or not, over an older tree too; and the kernel sees it at once.
. "$(dirname "$0")/lib.sh"
need tar setfattr setfacl

# describe DIR: all that is compared, a line each; not what a store counts in
# its own way, blocks and sizes of directories.
describe()
{
	(cd "$1" && find . -path ./.kvfs -prune -o ! -type d \
	    -printf '%p %y %m %U %G %T@ %n %s %l\n' -o \
	    -printf '%p %y %m %U %G %T@\n' | LC_ALL=C sort
	getfattr -h -R -d -m - -e hex . 2>/dev/null |
	    LC_ALL=C awk 'BEGIN { RS = "" } { print | "LC_ALL=C sort" }'
	find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

compare()
{
	describe "$2" >"$T/want"
	describe "$3" >"$T/got"
	cmp -s "$T/want" "$T/got" ||
	    fail "$1: $(diff "$T/want" "$T/got" | head -5)"
}

make_tree()
{
	mkdir -p "$1/deep/$(seq -s / 1 30)" "$1/empty" "$1/many"
	for i in $(seq 300); do echo "file $i" >"$1/many/$i"; done
	head -c 100 /dev/urandom >"$1/small"
	head -c 2048 /dev/urandom >"$1/inline"
	head -c 2049 /dev/urandom >"$1/chunk"
	head -c 3000000 /dev/urandom >"$1/large"
	: >"$1/nothing"
	ln "$1/large" "$1/deep/large-too"
	ln "$1/small" "$1/zz-small"
	ln -s ../nowhere "$1/link"
	mkfifo "$1/pipe"
	truncate -s 50M "$1/sparse"
	printf middle | dd of="$1/sparse" bs=1 seek=20000001 conv=notrunc \
	    2>/dev/null
	truncate -s 3M "$1/hole"
	printf x >"$1/"$'odd \\ name\n\xff\x01'
	printf x >"$1/$(printf 'n%.0s' $(seq 255))"
	chmod 4751 "$1/inline"
	chmod 2775 "$1/empty"
	chmod 400 "$1/chunk"
	setfattr -n user.one -v 1 "$1/small"
	setfattr -n user.big -v "$(head -c 3000 /dev/zero | tr '\0' v)" \
	    "$1/large"
	setfattr -n user.dir -v d "$1/many"
	setfacl -m u:12:rwx,g:34:r "$1/nothing"
	setfacl -d -m u:56:rx "$1/empty"
	if [ "$(id -u)" = 0 ]; then
		chown 12:34 "$1/nothing"
		chown -h 56:78 "$1/link"
		mknod "$1/null" c 1 3
		setfattr -n trusted.t -v t "$1/many"
	fi
	touch -d '2001-02-03 04:05:06.123456789' "$1/small" "$1/many"
	touch -h -d '1969-12-31 23:00:00.5' "$1/link"
	touch -d '2100-01-01 00:00:00.000000001' "$1/deep"
}

mkdir "$T/src" "$T/ref"
make_tree "$T/src"
tar -C "$T/src" --format=pax --acls --xattrs --xattrs-include='*' --sparse \
    -cf "$T/a.tar" . 2>/dev/null || fail "tar c"

start_kvfs -o acl
# Names that the kernel knows to be missing, and listings that it has.
mkdir "$MNT/here" "$MNT/here/many"
for n in small many/17 link deep/1/2; do
	[ ! -e "$MNT/here/$n" ] || fail "$n is there"
done
ls "$MNT/here" "$MNT/here/many" >"$T/out"
stat "$MNT/here" >"$T/out"
"$KVFSCTL_BIN" load "$MNT" here <"$T/a.tar" >"$T/out" 2>"$T/err" ||
    fail "load: $(cat "$T/err")"
[ ! -s "$T/out" ] && [ ! -s "$T/err" ] || fail "load is not quiet"
same "a name that was missing" "file 17" "$(cat "$MNT/here/many/17")"
same "a listing that was known" 300 "$(ls "$MNT/here/many" | wc -l)"
tar -C "$T/ref" --acls --xattrs --xattrs-include='*' -xpf "$T/a.tar" ||
    fail "tar x"
compare "load" "$T/ref" "$MNT/here"
[ "$(stat -c %b "$MNT/here/sparse")" -lt 1000 ] || fail "holes were filled"

# Over itself, and compressed.
gzip -c "$T/a.tar" >"$T/a.tar.gz"
exec 3<"$MNT/here/large"
"$KVFSCTL_BIN" load "$MNT" here <"$T/a.tar.gz" || fail "load again"
cmp - "$T/src/large" <&3 || fail "an open file has changed"
exec 3<&-
compare "load over itself" "$T/ref" "$MNT/here"

# dump is what tar can read, and load again.
"$KVFSCTL_BIN" dump "$MNT" here >"$T/b.tar" || fail "dump"
tar tf "$T/b.tar" >"$T/names" || fail "tar t of a dump"
grep -qx many/17 "$T/names" || fail "many/17 is not in the dump"
mkdir "$T/out2"
tar -C "$T/out2" --acls --xattrs --xattrs-include='*' -xpf "$T/b.tar" ||
    fail "tar x of a dump"
compare "tar x of a dump" "$T/ref" "$T/out2"
[ "$(stat -c %s "$T/b.tar")" -lt 12000000 ] || fail "holes are in the dump"
refuses "No such file" "$KVFSCTL_BIN" load "$MNT" nowhere <"$T/a.tar"
refuses "No such file" "$KVFSCTL_BIN" dump "$MNT" nowhere
refuses "Not a directory" "$KVFSCTL_BIN" dump "$MNT" here/small
"$KVFSCTL_BIN" check "$MNT" >"$T/out" || fail "check: $(cat "$T/out")"

# Names that lead out, or to what the daemon keeps for itself.
mkdir "$T/odd"
echo a >"$T/odd/abs"
tar -C / -P --transform 's,.*/abs,/a/abs,' -cf "$T/abs.tar" "$T/odd/abs" \
    2>/dev/null
"$KVFSCTL_BIN" load "$MNT" <"$T/abs.tar" 2>"$T/err" || fail "load of /a/abs"
same "one line" 1 "$(wc -l <"$T/err")"
same "an absolute name" a "$(cat "$MNT/a/abs")"
tar -C "$T/odd" -P --transform 's,abs,../up,' -cf "$T/up.tar" abs
refuses ".." "$KVFSCTL_BIN" load "$MNT" a <"$T/up.tar"
[ ! -e "$MNT/up" ] || fail "a name led out of its directory"
tar -C "$T/odd" --transform 's,abs,.kvfs/abs,' -cf "$T/res.tar" abs
refuses "Operation not permitted" "$KVFSCTL_BIN" load "$MNT" <"$T/res.tar"

# Failures: a line each, and the rest is loaded.
mkdir -p "$MNT/bad/abs/full" "$MNT/bad/ok"
tar -C "$T/odd" --transform 's,^,./,' -cf "$T/bad.tar" abs
echo b >"$T/odd/more"
tar -C "$T/odd" -rf "$T/bad.tar" more
"$KVFSCTL_BIN" load "$MNT" bad <"$T/bad.tar" 2>"$T/err"
same "status of a failure" 1 $?
same "its line" "kvfsctl: abs: Is a directory" "$(cat "$T/err")"
same "the rest" b "$(cat "$MNT/bad/more")"

# An archive that ends early: what is whole stays.
head -c 2000000 "$T/a.tar" >"$T/cut.tar"
mkdir "$MNT/cut"
refuses "" "$KVFSCTL_BIN" load "$MNT" cut <"$T/cut.tar"
for f in "$MNT"/cut/*; do
	[ ! -f "$f" ] || cmp -s "$f" "$T/src/${f##*/}" ||
	    fail "half a file: $f"
done
refuses "archive format" "$KVFSCTL_BIN" load "$MNT" cut <"$T/src/large"
stop_kvfs

# Not mounted: dump here, load there, the same tree.
mkdir "$T/mnt2"
"$KVFSCTL_BIN" dump "$STORE" here >"$T/c.tar" || fail "dump of a store"
"$KVFS_BIN" "$T/store2" "$T/mnt2" -o acl || fail "second store"
umount "$T/mnt2" || fusermount3 -u "$T/mnt2"
"$KVFSCTL_BIN" load "$T/store2" <"$T/c.tar" || fail "load of a store"
"$KVFSCTL_BIN" check "$T/store2" >"$T/out" || fail "check: $(cat "$T/out")"
"$KVFS_BIN" "$T/store2" "$T/mnt2" -o acl || fail "second store, loaded"
compare "dump loaded elsewhere" "$T/ref" "$T/mnt2"
