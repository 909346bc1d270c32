#!/bin/sh
# SPDX-License-Identifier: ISC
# Exit status 2 and the usage on standard error for wrong usage; 0 and
# standard output for --help; 1 and one line for what cannot be done.
. "$(dirname "$0")/lib.sh"

misuse()
{
	"$KVFSCTL_BIN" "$@" >"$T/out" 2>"$T/err" </dev/null
	same "status of kvfsctl $*" 2 $?
	[ -s "$T/err" ] || fail "kvfsctl $*: says nothing"
	[ ! -s "$T/out" ] || fail "kvfsctl $*: wrote to standard output"
}

misuse
misuse nonsense
misuse help nonsense
misuse get
misuse get x
misuse get -x y z
misuse put x
misuse put -z x y
misuse put x y z more
misuse del x
misuse ls
misuse ls x y z
misuse scan
misuse scan -n many x
misuse scan -n -1 x
misuse scan x y z
misuse stat
misuse stat x y
misuse check
misuse sync x y
misuse flush
misuse compact
misuse set x
misuse set x y
misuse backup x
misuse backup x y z
misuse repair x
misuse repair x y z
misuse umount
misuse umount x y

for c in --help help "get --help" "help umount"; do
	# shellcheck disable=SC2086 # two words
	"$KVFSCTL_BIN" $c >"$T/out" 2>"$T/err" || fail "kvfsctl $c: status $?"
	grep -q '^usage: kvfsctl ' "$T/out" || fail "kvfsctl $c: no usage"
	[ ! -s "$T/err" ] || fail "kvfsctl $c: wrote to standard error"
done

# No store there: every command says so, and none makes one.
for c in "get $T/none k" "put $T/none k v" "ls $T/none" "stat $T/none" \
    "check $T/none" "compact $T/none" "umount $T/none" \
    "backup $T/none $T/b" "repair $T/none $T/b"; do
	# shellcheck disable=SC2086
	"$KVFSCTL_BIN" $c >"$T/out" 2>"$T/err"
	same "status of kvfsctl $c" 1 $?
	same "lines of kvfsctl $c" 1 "$(wc -l <"$T/err")"
done
[ ! -e "$T/none" ] || fail "a store was made"
[ ! -e "$T/b" ] || fail "a backup of nothing was made"
mkdir "$T/empty"
"$KVFSCTL_BIN" put "$T/empty" k v 2>"$T/err"
same "status of put into an empty directory" 1 $?
same "files in it" "" "$(ls -A "$T/empty")"

# Output that cannot be written is a failure.
start_kvfs
seq 100000 >"$MNT/big"
"$KVFSCTL_BIN" get "$MNT" big >/dev/full 2>"$T/err"
same "status of get to a full device" 1 $?
grep -q '^kvfsctl: standard output: ' "$T/err" || fail "$(cat "$T/err")"

# A backup that has no place.
for to in "" "$MNT" "$STORE/x" "$T/none/x" /dev/null /proc/kvfs \
    "$T/$(printf '%0300d' 0)"; do
	"$KVFSCTL_BIN" backup "$MNT" "$to" >"$T/out" 2>"$T/err"
	same "status of a backup to '$to'" 1 $?
	same "lines of a backup to '$to'" 1 "$(wc -l <"$T/err")"
	grep -q '^kvfsctl: ' "$T/err" || fail "$(cat "$T/err")"
done

# The store belongs to its daemon: not a second mount, and no direct way.
mkdir "$T/second"
"$KVFS_BIN" "$STORE" "$T/second" 2>"$T/err" && fail "mounted twice"
grep -q "$PID" "$T/err" || fail "does not say by whom: $(cat "$T/err")"
stop_kvfs
