#!/bin/sh
# SPDX-License-Identifier: ISC
# Starting beside others: a daemon that is ending is waited for, a store that
# is used is refused at once, and so are operands in the wrong order.
. "$(dirname "$0")/lib.sh"

# umount(8) returns before the daemon has ended; a start right behind it
# waits, and what is written then goes into the store.
start_kvfs -o flush=lazy,writeback=60000
i=0
while [ $i -lt 8 ]; do
	i=$((i + 1))
	head -c 3000000 /dev/urandom >"$MNT/big"
	echo $i >"$MNT/count"
	unmount "$MNT" || fail "umount $i"
	"$KVFS_BIN" "$STORE" "$MNT" -o flush=lazy,writeback=60000 2>"$T/err" ||
	    fail "start $i: $(cat "$T/err")"
	same "count" $i "$(cat "$MNT/count")"
done
PID=$(stat_value "$MNT" Pid)

# In use: at once.
mkdir "$T/other"
before=$(date +%s)
expect_error 1 "in use by process $PID" "$KVFS_BIN" "$STORE" "$T/other"
[ $(($(date +%s) - before)) -lt 4 ] || fail "waits for a store in use"
stop_kvfs

# The helper of umount(8).
start_kvfs
"$top/mount-scripts/umount.kvfs" "$MNT" || fail "umount.kvfs"
[ ! -e "/proc/$PID/exe" ] || fail "umount.kvfs: the daemon goes on"
PID=
same "umount.kvfs without operands" 2 \
    "$("$top/mount-scripts/umount.kvfs" >"$T/out" 2>&1; echo $?)"
same "umount.kvfs, unknown letter" 2 \
    "$("$top/mount-scripts/umount.kvfs" -z "$MNT" >"$T/out" 2>&1; echo $?)"
same "umount.kvfs of a plain directory" 1 \
    "$("$top/mount-scripts/umount.kvfs" "$MNT" >"$T/out" 2>&1; echo $?)"

# Swapped operands make no store and hide nothing.
expect_error 1 "kvfs $STORE $MNT" "$KVFS_BIN" "$MNT" "$STORE"
[ -z "$(ls -A "$MNT")" ] || fail "something was made in the mountpoint"
expect_error 1 "is a store, no mountpoint" "$KVFS_BIN" "$STORE"
expect_error 1 "" "$KVFS_BIN" "$STORE" "$STORE"
mkdir "$STORE.outer"
expect_error 1 "lies inside" "$KVFS_BIN" "$STORE.outer/in" "$STORE.outer"

# Names in the mount table, and a mount that is found under them.
start_kvfs -o fsname=some,subtype=other
grep -q "^some $MNT fuse.other " /proc/self/mounts ||
    fail "fsname and subtype: $(grep " $MNT " /proc/self/mounts)"
echo v >"$MNT/k"
same "by mountpoint" v "$("$KVFSCTL_BIN" get "$MNT" k)"
same "by store" v "$("$KVFSCTL_BIN" get "$STORE" k)"
expect_error 1 "mounted there already" "$KVFS_BIN" "$T/store2" "$MNT"
"$KVFSCTL_BIN" umount "$MNT" || fail "umount of another type"
PID=

# Whose daemon was killed: by mountpoint, by store, by the next start.
die()
{
	start_kvfs -o fsname=some,subtype=other
	kill -KILL "$PID"
	wait_gone "$PID"
	PID=
	grep -q " $MNT fuse.other" /proc/self/mounts || fail "no dead mount"
}
for name in "$MNT" "$STORE"; do
	die
	"$KVFSCTL_BIN" umount "$name" || fail "umount of a dead mount: $name"
	! grep -q " $MNT fuse" /proc/self/mounts || fail "still there: $name"
done
die
start_kvfs 2>"$T/err"
grep -q "cleared the dead mount" "$T/err" || fail "$(cat "$T/err")"
stop_kvfs
# That of another store is left to whoever started it.
die
expect_error 1 "clear it with umount -l" "$KVFS_BIN" "$T/store2" "$MNT"
"$KVFSCTL_BIN" umount "$MNT" || fail "umount of a dead mount"

# Databases of others are told as such, and nothing is made in them.
foreign()
{
	expect_error 1 "$1" "$KVFS_BIN" "$2" "$MNT"
	same "status of kvfsctl" 1 "$("$KVFSCTL_BIN" get "$2" k 2>"$T/err"; echo $?)"
	grep -q "^kvfsctl: $2: $1, not a " "$T/err" ||
	    fail "kvfsctl get: $(cat "$T/err")"
	same "lines of kvfsctl get" 1 "$(wc -l <"$T/err")"
	same "files in it" "$3" "$(ls -A "$2" | tr '\n' ' ')"
}
mkdir "$T/lmdb" "$T/bdb"
printf '\0\0\0\0\0\0\0\0\0\0\10\0\0\0\0\0\336\300\357\276\1\0\0\0' \
    >"$T/lmdb/data.mdb"
: >"$T/lmdb/lock.mdb"
foreign "an LMDB environment" "$T/lmdb" "data.mdb lock.mdb "
: >"$T/bdb/log.0000000001"
: >"$T/bdb/users.db"
foreign "a Berkeley DB environment" "$T/bdb" "log.0000000001 users.db "
mkdir "$T/leveldb" "$T/rocksdb"
for d in leveldb rocksdb; do
	echo MANIFEST-000004 >"$T/$d/CURRENT"
	echo "a log of edits" >"$T/$d/MANIFEST-000004"
done
: >"$T/rocksdb/IDENTITY"
foreign "a LevelDB database" "$T/leveldb" "CURRENT MANIFEST-000004 "
foreign "a RocksDB database" "$T/rocksdb" "CURRENT IDENTITY MANIFEST-000004 "
printf 'SQLite format 3\0\20\0\1\1' >"$T/app.db"
foreign "a SQLite database" "$T/app.db" "$T/app.db "

# A line break in both names.
odd="$T/a
b\\c"
mkdir -p "$odd/mnt"
"$KVFS_BIN" "$odd/store" "$odd/mnt" || fail "a line break"
echo odd >"$odd/mnt/k"
same "by mountpoint" odd "$("$KVFSCTL_BIN" get "$odd/mnt" k)"
same "by store" odd "$("$KVFSCTL_BIN" get "$odd/store" k)"
"$KVFSCTL_BIN" umount "$odd/store" || fail "umount of odd names"
