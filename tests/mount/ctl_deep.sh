#!/bin/sh
# SPDX-License-Identifier: ISC
# Trees as deep as a path can name, and deeper; and what a value that is
# replaced keeps. On a mounted store and on one that is not.
. "$(dirname "$0")/lib.sh"

# With a small stack: what needs a page of it for each level dies.
deep=500
# shellcheck disable=SC3045 # every sh here has it
ulimit -s 1024
path=$(awk "BEGIN { for (i = 0; i < $deep; i++) printf \"d/\" }")k

check_deep()
{
	printf anew | "$KVFSCTL_BIN" put "$1" "$path" || fail "put in $1"
	same "get from $1" anew "$("$KVFSCTL_BIN" get "$1" "$path")"
	[ "$("$KVFSCTL_BIN" scan "$1" d/d/)" = "$path" ] || fail "scan of $1"
}
start_kvfs
printf deep | "$KVFSCTL_BIN" put -p "$MNT" "$path" || fail "put -p"
check_deep "$MNT"

# Deeper than the kernel takes a path at once.
long=$(awk 'BEGIN { for (i = 0; i < 200; i++) printf "x" }')
far=$(awk "BEGIN { for (i = 0; i < 22; i++) printf \"$long/\" }")
(cd "$MNT" && i=0 && while [ $i -lt 22 ]; do
	mkdir "$long" && cd -P "$long" || exit 1
	i=$((i + 1))
done && echo far >k)
check_far()
{
	same "get of $1" far "$("$KVFSCTL_BIN" get "$1" "${far}k")"
	echo new | "$KVFSCTL_BIN" put "$1" "${far}new" || fail "put in $1"
	same "ls of $1" "k new" "$("$KVFSCTL_BIN" ls "$1" "$far" |
	    tr '\n' ' ' | sed 's/ $//')"
	same "scan of $1" "${far}k ${far}new" \
	    "$("$KVFSCTL_BIN" scan "$1" "$long/" | tr '\n' ' ' |
		sed 's/ $//')"
	"$KVFSCTL_BIN" del "$1" "${far}new" || fail "del in $1"
}
check_far "$MNT"

# Deeper than any key is long: the rest is seen, and one line tells.
(cd "$MNT" && mkdir deeper && cd deeper && i=0 && while [ $i -lt 170 ]; do
	mkdir "$long" && cd -P "$long" || exit 1
	i=$((i + 1))
done && echo unseen >k) || fail "a deeper tree"
"$KVFSCTL_BIN" scan "$MNT" >"$T/out" 2>"$T/err"
same "status of a scan of it" 1 $?
same "keys seen of $MNT" "$(printf '%s\n' "$path" "${far}k")" "$(cat "$T/out")"
same "lines of errors" 1 "$(wc -l <"$T/err")"
grep -q "File name too long" "$T/err" || fail "scan: $(tail -c 200 "$T/err")"
"$KVFSCTL_BIN" del -r "$MNT" "$long" || fail "del -r"
[ ! -e "$MNT/$long" ] || fail "still there"
rm -rf "$MNT/deeper" || fail "rm -rf"

# What a value keeps that is replaced.
check_kept()
{
	echo new | "$KVFSCTL_BIN" put "$1" kept || fail "put in $1"
}
echo old >"$MNT/kept"
chmod 640 "$MNT/kept"
setfattr -n user.colour -v blue "$MNT/kept" || fail "setfattr"
check_kept "$MNT"
same "mode, mounted" 640 "$(stat -c %a "$MNT/kept")"
same "attribute, mounted" blue \
    "$(getfattr --absolute-names --only-values -n user.colour "$MNT/kept")"
stop_kvfs
check_deep "$STORE"
"$KVFSCTL_BIN" del -r "$STORE" d || fail "del -r"
same "left" kept "$("$KVFSCTL_BIN" ls "$STORE")"
check_kept "$STORE"
start_kvfs
same "value" new "$(cat "$MNT/kept")"
same "mode" 640 "$(stat -c %a "$MNT/kept")"
same "attribute" blue "$(getfattr --absolute-names --only-values -n user.colour "$MNT/kept")"

# While it is written, nobody else can read it, and its name is not known.
chmod 600 "$MNT/kept"
mkfifo "$T/pipe"
"$KVFSCTL_BIN" put "$MNT" kept <"$T/pipe" &
put=$!
exec 9>"$T/pipe"
echo secret >&9
timeout 30 sh -c "until ls -A '$MNT' | grep -q kvfsctl-put; do
    sleep 0.05; done" || fail "no file that is being written"
same "mode of what is written" 600 "$(stat -c %a "$MNT"/.kvfsctl-put.*)"
exec 9>&-
wait $put || fail "put: status $?"
same "value" secret "$(cat "$MNT/kept")"

# What can be set is told.
"$KVFSCTL_BIN" set "$MNT" sync=maybe 2>"$T/err"
same "status of a bad value" 1 $?
grep -q "hybrid:N:MS" "$T/err" || fail "set: $(cat "$T/err")"
"$KVFSCTL_BIN" set "$MNT" cache=9M 2>"$T/err"
grep -q "max_size" "$T/err" || fail "set: $(cat "$T/err")"
"$KVFSCTL_BIN" set --help | grep -q "max_size=SIZE" || fail "set --help"
stop_kvfs
