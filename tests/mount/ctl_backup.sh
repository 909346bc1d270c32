#!/bin/sh
# SPDX-License-Identifier: ISC
# A backup is a store of its own, with what was there when it was made; a
# repair takes what is left of a damaged one and says what is not.
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

start_kvfs
for i in $(seq 60); do
	mkdir -p "$MNT/d$((i % 7))"
	head -c $((i * i * 100)) /dev/urandom >"$MNT/d$((i % 7))/$i"
done
if [ -e "$MNT/.kvfs/backup" ]; then
	ctl backup "$MNT" "$T/live"
	echo later >"$MNT/later"
	sums "$MNT" | grep -v '^later ' >"$T/want"
	sums "$T/live" >"$T/got"
	cmp "$T/want" "$T/got" || fail "the backup of a mounted store differs"
	same "check" "Problems: 0" "$(ctl check "$T/live")"
	"$KVFSCTL_BIN" backup "$MNT" "$T/live" 2>"$T/err" &&
	    fail "a backup over another"
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
