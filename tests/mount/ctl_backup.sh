#!/bin/sh
# SPDX-License-Identifier: ISC
# A backup is a store of its own, with what was there when it was made,
# whether the store is mounted or not; a repair takes what is left of a
# damaged one and says what is not.
. "$(dirname "$0")/lib.sh"

ctl()
{
	"$KVFSCTL_BIN" "$@" || fail "kvfsctl $*: exit status $?"
}

sums()
{
	ctl scan "$1" | while read -r key; do
		echo "$key $(ctl get "$1" "$key" | sha256sum)"
	done
}

# backup_refused WHERE TEXT: with one line, and nothing made there
backup_refused()
{
	"$KVFSCTL_BIN" backup "$MNT" "$1" >"$T/out" 2>"$T/err"
	same "status of a backup to $1" 1 $?
	same "lines about a backup to $1" 1 "$(wc -l <"$T/err")"
	grep -qF "$2" "$T/err" || fail "backup to $1: $(cat "$T/err")"
	[ ! -s "$T/out" ] || fail "backup to $1: $(cat "$T/out")"
}

start_kvfs
for i in $(seq 4 4 60); do
	mkdir -p "$MNT/d$((i % 7))"
	head -c $((i * i * 100)) /dev/urandom >"$MNT/d$((i % 7))/$i"
done

# By its mountpoint, by its store, by a path from where the caller stands,
# into a directory that is there, under any name.
sums "$MNT" >"$T/want"
mkdir "$T/empty" "$T/empty/lost+found"
cd "$T" || exit 1
odd=$(printf 'a b,c:d"\047e\nf\\g')
for to in "$T/live" live2 ./live3/ "$T/empty" "$T/$odd"; do
	name=$MNT
	[ "$to" != live2 ] || name=$STORE
	ctl backup "$name" "$to" >"$T/out"
	grep -q '^Files linked: [1-9]' "$T/out" ||
	    fail "nothing was linked to $to: $(cat "$T/out")"
	sums "$to" >"$T/got"
	cmp "$T/want" "$T/got" || fail "the backup in $to differs"
	same "check of $to" "Problems: 0" "$(ctl check "$to")"
	same "mode of $to" 700 "$(stat -c %a "$T/live")"
done
# The archive itself, by tar alone.
mkdir "$T/tar"
tar -xf "$MNT/.kvfs/backup" -C "$T/tar" || fail "tar does not read it"
sums "$T/tar" >"$T/got"
cmp "$T/want" "$T/got" || fail "what tar took out differs"
same "check" "Problems: 0" "$(ctl check "$T/tar")"

# Contents that wait are in it, and what came later is not.
stop_kvfs
start_kvfs -o flush=lazy,writeback=3600000
echo waits >"$MNT/waits"
ctl backup "$MNT" "$T/lazy" >/dev/null
echo later >"$MNT/later"
same "contents that waited" waits "$(ctl get "$T/lazy" waits)"
"$KVFSCTL_BIN" get "$T/lazy" later 2>"$T/err" && fail "the backup goes on"
stop_kvfs
start_kvfs -o ro
ctl backup "$MNT" "$T/of_ro" >/dev/null
same "of a read-only mount" waits "$(ctl get "$T/of_ro" waits)"
stop_kvfs
start_kvfs

# Where it cannot go.
backup_refused "$T/live" "not empty"
backup_refused "$T/none/below" "No such file"
backup_refused "$STORE/below" "inside the store"
backup_refused "$STORE" "inside the store"
backup_refused "$MNT/below" "inside the mount"
backup_refused "$MNT" "inside the mount"
[ ! -e "$STORE/below" ] && [ ! -e "$MNT/below" ] && [ ! -e "$T/none" ] ||
    fail "a backup that was refused left a directory"
echo file >"$T/file"
backup_refused "$T/file" "Not a directory"
backup_refused "$T/file/below" "Not a directory"

# The daemon writes nowhere: who may not write there makes no backup, and
# only the owner of the mount may read the store through it.
if has_root && has_tool setpriv; then
	chmod 755 "$T"
	mkdir "$T/theirs"
	chown 65534 "$T/theirs"
	for to in "$T/theirs/copy" "$T/own"; do
		setpriv --reuid 65534 --regid 65534 --clear-groups \
		    "$KVFSCTL_BIN" backup "$MNT" "$to" >"$T/out" 2>&1 &&
		    fail "another user made a backup"
		[ ! -e "$to" ] || fail "another user's backup left $to"
	done
fi
stop_kvfs

ctl backup "$STORE" "$T/copy" >/dev/null
sums "$STORE" >"$T/want"
sums "$T/copy" >"$T/got"
cmp "$T/want" "$T/got" || fail "the backup differs"
same "check" "Problems: 0" "$(ctl check "$T/copy")"
"$KVFSCTL_BIN" backup "$STORE" "$T/copy" >/dev/null 2>"$T/err" &&
    fail "a backup over another"
# The two share nothing that changes.
ctl del -r "$T/copy" d1
ctl compact "$T/copy"
sums "$STORE" >"$T/got"
cmp "$T/want" "$T/got" || fail "changing the backup changed the store"

# A store that was not closed: its log holds commits.
start_kvfs
echo logged >"$MNT/logged"
sync "$MNT"
kill -KILL "$PID"
umount -l "$MNT"
wait_gone "$PID"
ctl backup "$STORE" "$T/killed" >/dev/null
same "what the log held" logged "$(ctl get "$T/killed" logged)"
same "check" "Problems: 0" "$(ctl check "$T/killed")"
ctl del "$STORE" logged later waits
sums "$STORE" >"$T/want"

# A sound store repairs without loss; a damaged one keeps the rest.
ctl repair "$STORE" "$T/sound" >/dev/null
sums "$T/sound" >"$T/got"
cmp "$T/want" "$T/got" || fail "a sound store was repaired into another"
rm "$STORE"/MANIFEST-*
"$KVFSCTL_BIN" stat "$STORE" >/dev/null 2>"$T/err" &&
    fail "a store without its manifest opens"
"$KVFSCTL_BIN" repair "$STORE" "$T/repaired" >"$T/out" 2>"$T/err"
same "check" "Problems: 0" "$(ctl check "$T/repaired")"
sums "$T/repaired" >"$T/got"
cmp "$T/want" "$T/got" || fail "repair without a manifest lost something"

# Not a mounted one.
STORE=$T/repaired
start_kvfs
for name in "$MNT" "$STORE"; do
	"$KVFSCTL_BIN" repair "$name" "$T/none" >"$T/out" 2>"$T/err"
	same "status of repair of $name" 1 $?
done
[ ! -e "$T/none" ] || [ -z "$(ls -A "$T/none")" ] || fail "made a store"
stop_kvfs
