#!/bin/bash
# SPDX-License-Identifier: ISC
# Reading a store that nobody has mounted: also on read-only media and as a
# user who may only read it, also one that a crash has left. It changes
# nothing, not even times; many may read; a start waits for short readers, and
# names one that stays.
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root, for a read-only mount"

print_store()
{
	(cd "$STORE" && find . -printf '%p %s %T@ %C@ %m\n' | sort &&
	    sha256sum ./*)
}

crash()
{
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	umount -l "$MNT"
}

# The commands that read, on the store at $1.
read_store()
{
	same "get" value "$("$KVFSCTL_BIN" get "$1" key)"
	same "ls" key "$("$KVFSCTL_BIN" ls "$1")"
	same "scan" key "$("$KVFSCTL_BIN" scan "$1")"
	same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$1" | tail -1)"
	"$KVFSCTL_BIN" stat "$1" | grep -q '^State: read-only$' || fail stat
}

mkdir "$T/ro"
for how in ended killed unlocked; do
	rm -rf "$STORE"
	start_kvfs
	echo value >"$MNT/key"
	sync "$MNT"
	case $how in
	killed) crash ;;
	*) stop_kvfs ;;
	esac
	[ $how != unlocked ] || rm "$STORE/LOCK"
	print_store >"$T/before"
	read_store "$STORE"
	mount --bind "$STORE" "$T/ro" && mount -o remount,bind,ro "$T/ro" ||
	    fail "no read-only mount"
	read_store "$T/ro"
	"$KVFSCTL_BIN" backup "$T/ro" "$T/copy" >/dev/null || fail "backup"
	same "the backup" value "$("$KVFSCTL_BIN" get "$T/copy" key)"
	rm -r "$T/copy"
	"$KVFSCTL_BIN" put "$T/ro" key </dev/null 2>/dev/null &&
	    fail "put on a read-only file system"
	"$KVFS_BIN" "$T/ro" "$MNT" -o ro || fail "mount -o ro"
	PID=$(stat_value "$MNT" Pid)
	same "mounted" value "$(cat "$MNT/key")"
	stop_kvfs
	umount "$T/ro"
	print_store >"$T/after"
	cmp "$T/before" "$T/after" || fail "$how: reading changed the store"
	# A backup links: it may change the times of an inode, and no more.
	"$KVFSCTL_BIN" backup "$STORE" "$T/copy" >/dev/null || fail "backup"
	same "the backup" value "$("$KVFSCTL_BIN" get "$T/copy" key)"
	# What is written to the one does not reach the other.
	echo new | "$KVFSCTL_BIN" put "$STORE" key
	same "the backup" value "$("$KVFSCTL_BIN" get "$T/copy" key)"
	same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$T/copy" | tail -1)"
	rm -r "$T/copy"
done

# Another user, who may read.
start_kvfs
echo value >"$MNT/key"
sync "$MNT"
crash
chmod 755 "$T"
chmod -R a+rX "$STORE"
cp "$KVFSCTL_BIN" "$T/kvfsctl" && chmod 755 "$T/kvfsctl"
print_store >"$T/before"
as_other() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
same "get of another user" value "$(as_other "$T/kvfsctl" get "$STORE" key)"
as_other "$T/kvfsctl" put "$STORE" key </dev/null 2>/dev/null &&
    fail "put of a user who may only read"
print_store >"$T/after"
cmp "$T/before" "$T/after" || fail "another user has changed the store"

# A mount beside short readers; and beside one that stays.
touch "$T/run"
(while [ -e "$T/run" ]; do
	"$KVFSCTL_BIN" stat "$STORE" >/dev/null 2>&1
done) &
for _ in 1 2 3 4 5; do
	start_kvfs
	# The reader may be in the mount, too.
	umount -l "$MNT"
	wait_gone "$PID"
	PID=
done
rm "$T/run"
wait
"$KVFS_BIN" "$STORE" "$MNT" -o ro || fail "mount -o ro"
PID=$(stat_value "$MNT" Pid)
read_store "$STORE"
mkdir "$T/mnt2"
expect_error 1 "process $PID (" "$KVFS_BIN" "$STORE" "$T/mnt2"
stop_kvfs

# A database of another program.
mkdir "$T/other"
echo MANIFEST-000004 >"$T/other/CURRENT"
echo theirs >"$T/other/MANIFEST-000004"
: >"$T/other/LOCK"
echo theirs >"$T/other/000005.ldb"
STORE=$T/other
print_store >"$T/before"
expect_error 1 "LevelDB database" "$KVFS_BIN" "$STORE" "$MNT"
for c in check stat "repair -"; do
	# shellcheck disable=SC2086
	set -- $c
	"$KVFSCTL_BIN" "$1" "$STORE" ${2:+"$T/new"} >"$T/out" 2>&1 &&
	    fail "kvfsctl $1 of a LevelDB"
	grep -q LevelDB "$T/out" || fail "kvfsctl $1: $(cat "$T/out")"
done
print_store >"$T/after"
cmp "$T/before" "$T/after" || fail "a LevelDB was changed"
