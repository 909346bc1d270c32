#!/bin/sh
# SPDX-License-Identifier: ISC
# stat, check, sync, flush, compact and set, on a mounted store by both of
# its names, and on one that is not mounted.
. "$(dirname "$0")/lib.sh"

ctl()
{
	"$KVFSCTL_BIN" "$@" || fail "kvfsctl $*: exit status $?"
}

value()
{
	"$KVFSCTL_BIN" stat "$1" | sed -n "s/^$2: //p" | head -n 1
}

all_commands()
{
	at=$1
	same "check" "Problems: 0" "$(ctl check "$at")"
	same "output of sync" "" "$(ctl sync "$at")"
	same "output of flush" "" "$(ctl flush "$at")"
	same "output of compact" "" "$(ctl compact "$at")"
	[ "$(value "$at" Tables)" -gt 0 ] || fail "no table after compact"
	same "check after compact" "Problems: 0" "$(ctl check "$at")"
}

start_kvfs
for i in $(seq 200); do
	seq $i >"$MNT/$i"
done
all_commands "$MNT"
all_commands "$STORE"
same "mountpoint in stat" "$MNT" "$(value "$STORE" Mountpoint)"

# After kvfsctl sync nothing waits.
echo x >"$MNT/x"
ctl sync "$MNT"
same "changes not durable" 0 "$(value "$MNT" 'Changes not durable')"

# Options change at once, and only those that can.
ctl set "$MNT" sync=every:7 flush=lazy
same "sync mode" every:7 "$(value "$MNT" 'Sync mode')"
grep -qx flush=lazy "$MNT/.kvfs/options" || fail "flush is not lazy"
ctl set "$STORE" profile=safe
same "sync mode" full "$(value "$MNT" 'Sync mode')"
for wrong in sync=never cache=1M nonsense=1; do
	"$KVFSCTL_BIN" set "$MNT" $wrong 2>"$T/err"
	same "status of set $wrong" 1 $?
	grep -q "^kvfsctl: $wrong: " "$T/err" || fail "$(cat "$T/err")"
done
same "sync mode" full "$(value "$MNT" 'Sync mode')"
stop_kvfs

all_commands "$STORE"
"$KVFSCTL_BIN" set "$STORE" sync=full 2>"$T/err"
same "status of set on a store that is not mounted" 1 $?
grep -q "^kvfsctl: $STORE: not mounted" "$T/err" || fail "$(cat "$T/err")"

# Damage is found, named, and makes check fail; nothing else is touched.
table=$(ls "$STORE"/*.sst | head -n 1)
size=$(stat -c %s "$table")
printf 'damage' | dd of="$table" bs=1 seek=$((size / 3)) conv=notrunc \
    2>/dev/null
"$KVFSCTL_BIN" check "$STORE" >"$T/out" 2>"$T/err"
same "status of check on a damaged store" 1 $?
grep -q "$(basename "$table")" "$T/out" "$T/err" ||
    fail "check does not name the damaged file: $(cat "$T/out" "$T/err")"
