#!/bin/sh
# SPDX-License-Identifier: ISC
# The store's directory is renamed, replaced, covered or removed while it is
# mounted: what fsync called durable stands in the directory that was opened,
# wherever it is now, and nothing is written to what stands in its place. A
# LOCK that is removed lets nobody in, and comes back.
. "$(dirname "$0")/lib.sh"

# Enough to fill several memtables: logs, tables and segments are made.
write_files()
{
	for i in $(seq 12); do
		head -c $((i * 9000)) /dev/zero | tr '\0' "$1" >"$MNT/$1$i"
		sync "$MNT/$1$i" || fail "cannot sync $1$i"
	done
}

check_files()
{
	same "check of $2" "Problems: 0" \
	    "$("$KVFSCTL_BIN" check "$2" | tail -1)"
	for i in $(seq 12); do
		same "$1$i in $2" $((i * 9000)) \
		    "$("$KVFSCTL_BIN" get "$2" "$1$i" | tr -d -c "$1" | wc -c)"
	done
}

# Once the daemon has looked at LOCK again.
await_lock()
{
	timeout 20 sh -c "until [ -e '$1/LOCK' ]; do sleep 0.05; done" ||
	    fail "LOCK does not come back"
}

# Renamed, then another directory in its place.
start_kvfs -o memtable=64K
write_files a
mv "$STORE" "$T/moved"
write_files b
mkdir "$STORE"
write_files c
# By its new name it is still the mounted one.
echo put | "$KVFSCTL_BIN" put "$T/moved" put || fail "put by the new name"
same "what was put" put "$(cat "$MNT/put")"
stop_kvfs
same "what stands in its place" "" "$(ls -A "$STORE")"
for c in a b c; do check_files $c "$T/moved"; done

# LOCK removed.
rmdir "$STORE"
STORE=$T/moved
start_kvfs
rm "$STORE/LOCK"
mkdir "$T/mnt2"
expect_error 1 "in use" "$KVFS_BIN" "$STORE" "$T/mnt2"
await_lock "$STORE"
same "LOCK files lost" 1 "$(stat_value "$MNT" "LOCK files lost")"
same "owner" "$PID" "$(head -1 "$STORE/LOCK")"
# Replaced by an empty file.
: >"$T/empty"
mv "$T/empty" "$STORE/LOCK"
expect_error 1 "in use" "$KVFS_BIN" "$STORE" "$T/mnt2"
timeout 20 sh -c "until [ -s '$STORE/LOCK' ]; do sleep 0.05; done" ||
    fail "LOCK is not written anew"
stop_kvfs
start_kvfs
stop_kvfs

# Covered.
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/above"
	STORE=$T/above/store
	start_kvfs -o memtable=64K
	write_files a
	mount -t tmpfs kvfs-test "$T/above" || fail "cannot mount a tmpfs"
	mkdir "$STORE"
	write_files b
	stop_kvfs
	left=$(ls -A "$STORE")
	umount "$T/above"
	same "what covers it" "" "$left"
	for c in a b; do check_files $c "$STORE"; done
fi

# Removed: writes fail, and the state says why.
STORE=$T/gone
start_kvfs
echo 1 >"$MNT/file"
rm -r "$STORE"
timeout 20 sh -c "while [ ! -e '$T/refused' ]; do
    (echo 2 >'$MNT/new') 2>/dev/null && sync '$MNT/new' 2>/dev/null ||
    : >'$T/refused'; rm -rf '$STORE'; sleep 0.1; done" ||
    fail "a store that was removed goes on"
timeout 20 sh -c "until grep -q '^State: failed' '$MNT/.kvfs/stats'; do
    sleep 0.05; done" || fail "the state does not say that it failed"
case $(stat_value "$MNT" State) in
"failed, read-only: "*"; "*) ;;
*) fail "the state does not say why: $(stat_value "$MNT" State)" ;;
esac
stop_kvfs
